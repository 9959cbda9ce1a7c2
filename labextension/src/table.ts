/** What a table does with its rows: order, filter, and how a value is written. */

import { figure } from './figures';
import { Cell, IColumn, ITable, plain } from './mime';

export interface IOrder {
  /** Column to sort by; -1 keeps the order of the table. */
  by: number;
  down: boolean;
  filter: string;
}

// One collator for all comparisons: String.localeCompare is many times slower.
const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** What is compared and searched. */
export function key(cell: Cell): string | number | null {
  if (cell === null || typeof cell === 'number' || typeof cell === 'string') {
    return cell;
  }
  if (typeof cell === 'boolean') {
    return cell ? 'True' : 'False';
  }
  if (Array.isArray(cell)) {
    return plain(cell);
  }
  return cell.type === 'spark' ? cell.values[cell.values.length - 1] ?? null : cell.alt;
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(String(a), String(b));
}

/** Numbers of the rows to show, in order; empty values come last in both directions. */
export function arrange(table: ITable, { by, down, filter }: IOrder): number[] {
  const word = filter.trim().toLowerCase();
  const order: number[] = [];
  table.rows.forEach((row, i) => {
    const hit = !word || row.some((c, j) => write(c, table.columns[j]).toLowerCase().includes(word));
    if (hit) {
      order.push(i);
    }
  });
  if (by < 0) {
    return order;
  }
  const keys = table.rows.map(row => key(row[by] ?? null));
  return order.sort((i, j) => {
    const [a, b] = [keys[i], keys[j]];
    if (a === null || b === null) {
      return Number(a === null) - Number(b === null) || i - j;
    }
    return (down ? compare(b, a) : compare(a, b)) || i - j;
  });
}

/** A value as text, as its column asks. */
export function write(cell: Cell, column: IColumn): string {
  if (typeof cell === 'boolean') {
    return cell ? 'True' : 'False';
  }
  if (typeof cell === 'number') {
    return figure(cell, column.format);
  }
  const value = key(cell);
  return value === null ? '' : String(value);
}

/** Whether a column holds figures, which stand on the right. */
export function right(table: ITable, index: number): boolean {
  const { align } = table.columns[index];
  if (align !== 'auto') {
    return align === 'right';
  }
  const first = table.rows.find(row => row[index] !== null);
  return first !== undefined && typeof first[index] === 'number';
}

/** The share of a bar's column that a value fills, in percent. */
export function share(table: ITable, index: number, cell: Cell): number {
  if (typeof cell !== 'number') {
    return 0;
  }
  const most = table.columns[index].barMax ?? table.rows.reduce((m, row) => Math.max(m, numberOf(row[index])), 0);
  return most > 0 ? Math.round(Math.min(1, Math.max(0, cell / most)) * 1000) / 10 : 0;
}

function numberOf(cell: Cell): number {
  return typeof cell === 'number' ? Math.abs(cell) : 0;
}
