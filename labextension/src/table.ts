/** What a table does with its rows: order, filter, and how a value is written. */

import { figure } from './figures';
import { Cell, IColumn, IGauge, ITable, plain } from './mime';

export interface IOrder {
  /** Column to sort by; -1 keeps the order of the table. */
  by: number;
  down: boolean;
  filter: string;
}

// One collator for all comparisons: String.localeCompare is many times slower.
const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** What is compared. */
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
  switch (cell.type) {
    case 'spark':
      return cell.values[cell.values.length - 1] ?? null;
    case 'gauge':
      return off(cell);
    case 'histogram':
      return cell.alt;
  }
}

/** By how much of the bounds' width, or of the bound, a value is beyond them. */
function off({ at, low, high }: IGauge): number | null {
  if (at === null) {
    return null;
  }
  const away = low !== null && at < low ? low - at : high !== null && at > high ? at - high : 0;
  const width = low !== null && high !== null ? high - low : Math.abs(low ?? high ?? 0);
  return away / (width || 1);
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
  if (typeof cell === 'object' && cell !== null && 'type' in cell && cell.type === 'gauge') {
    return cell.alt;
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
  const most = top(table, index);
  return most > 0 ? Math.round(Math.min(1, Math.abs(cell) / most) * 1000) / 10 : 0;
}

/** Where the value of another column lies on the bar, in percent; null where there is none to mark, or it is at the end. */
export function mark(table: ITable, index: number, row: number): number | null {
  const { mark } = table.columns[index];
  const value = table.rows[row][table.columns.findIndex(column => column.name === mark)];
  if (mark === undefined || typeof value !== 'number' || value < 0) {
    return null;
  }
  const most = top(table, index) || 1;
  return value / most < 0.99 ? Math.round((value / most) * 1000) / 10 : null;
}

/** What fills a bar. */
function top(table: ITable, index: number): number {
  return table.columns[index].barMax ?? table.rows.reduce((m, row) => Math.max(m, numberOf(row[index])), 0);
}

function numberOf(cell: Cell): number {
  return typeof cell === 'number' ? Math.abs(cell) : 0;
}
