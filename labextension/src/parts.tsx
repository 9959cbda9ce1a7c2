/** The parts of a result, drawn. Everything is a text node: what looks like HTML is shown as it is written. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Chip, Gauge } from './drawings';
import { digits, exactly, visible } from './figures';
import { Cell, IColumn, ISpan, ITable, Part, plain } from './mime';
import { Curves, Diff, Parallel } from './plots';
import { arrange, IOrder, mark, right, share, write } from './table';
import { Picture } from './zoom';

/** Rows that are drawn before "more". */
export const PAGE = 50;
/** A table of so few rows is read faster than a filter is typed. */
const FEW = 8;
/** Characters from which a cell may be cut off: the pointer shows the whole. */
const LONG = 36;

/** How the reader left a table or a details part; kept by the widget, since a detached output loses React's state. */
export interface IView extends IOrder {
  shown: number;
  open: boolean;
  /** Rows that are unfolded. */
  unfolded: readonly number[];
}

export const FRESH: IView = { by: -1, down: false, filter: '', shown: PAGE, open: false, unfolded: [] };

/** What a row shows when it is unfolded. */
export interface IFold {
  /** Whether rows of this table can be. */
  of(table: ITable): boolean;
  draw(table: ITable, row: number): JSX.Element;
}

export interface IPartProps {
  view(path: string): IView;
  change(path: string, change: Partial<IView>): void;
  /** Fetch the rows of the table at `path` that are not here, at least up to the `upto`-th. */
  fetch(path: string, upto: number): void;
  fold: IFold | null;
  trans: TranslationBundle;
}

export function Text(props: { of: ISpan[] }): JSX.Element {
  return (
    <>
      {props.of.map((span, i) => (
        <Span key={i} of={span} />
      ))}
    </>
  );
}

function Span(props: { of: ISpan }): JSX.Element {
  const { style, state, url } = props.of;
  const text = visible(props.of.text);
  switch (style) {
    case 'strong':
      return <b>{text}</b>;
    case 'code':
      return <code>{text}</code>;
    case 'muted':
      return <span className="jp-nbml-muted">{text}</span>;
    case 'chip':
      return <Chip state={state ?? 'idle'}>{text}</Chip>;
    case 'link':
      return (
        <a href={url} target="_blank" rel="noopener noreferrer">
          {text}
        </a>
      );
    default:
      return <>{text}</>;
  }
}

export function Parts(props: IPartProps & { of: Part[]; path: string }): JSX.Element {
  const { of, path, ...rest } = props;
  return (
    <>
      {of.map((part, i) => (
        <One key={i} part={part} path={`${path}.${i}`} {...rest} />
      ))}
    </>
  );
}

function One(props: IPartProps & { part: Part; path: string }): JSX.Element {
  const { part, path, ...rest } = props;
  switch (part.type) {
    case 'line':
      return (
        <p>
          <Text of={part.text} />
        </p>
      );
    case 'note':
      return (
        <p>
          {part.word && <Chip state={part.state}>{part.word}</Chip>} <Text of={part.text} />
        </p>
      );
    case 'progress':
      return <Progress {...part} />;
    case 'spark':
      return (
        <p>
          <Picture of={part} width={240} height={36} trans={rest.trans} />
        </p>
      );
    case 'histogram':
      return (
        <p>
          <Picture of={part} trans={rest.trans} />
        </p>
      );
    case 'code':
      return (
        <pre className="jp-nbml-code" tabIndex={0} aria-label={rest.trans.__('Code')}>
          <code>{visible(part.source)}</code>
        </pre>
      );
    case 'details':
      return (
        <details open={rest.view(path).open}>
          <summary
            onClick={event => {
              event.preventDefault(); // React keeps it open, not the element
              rest.change(path, { open: !rest.view(path).open });
            }}
          >
            <Text of={part.summary} />
          </summary>
          {rest.view(path).open && <Parts of={part.parts} path={path} {...rest} />}
        </details>
      );
    case 'curves':
      return <Curves of={part} trans={rest.trans} />;
    case 'parallel':
      return <Parallel of={part} trans={rest.trans} />;
    case 'diff':
      return <Diff of={part} trans={rest.trans} />;
    case 'table':
      return <Table table={part} path={path} {...rest} />;
  }
}

export function Progress(props: { done: number; total: number; label: ISpan[] }): JSX.Element {
  const { done, total, label } = props;
  const words = `${digits(done)} of ${digits(total)}`;
  return (
    <p className="jp-nbml-progress">
      <progress value={Math.min(done, total)} max={Math.max(total, 1)} aria-label={words} />
      <span>
        {words}
        {label.some(span => span.text) && (
          <span className="jp-nbml-muted">
            {' · '}
            <Text of={label} />
          </span>
        )}
      </span>
    </p>
  );
}

function Table(props: IPartProps & { table: ITable; path: string }): JSX.Element {
  const { table, path, view, change, fetch, fold, trans } = props;
  const now = view(path);
  const order = arrange(table, now);
  const here = table.rows.length;
  const stored = table.stored ?? table.total;
  const missing = stored - here;
  const filterable = here > FEW || missing > 0;
  const folds = fold !== null && fold.of(table);
  /** Order and filter are of all rows, or they would mislead. */
  const arranged = (wanted: Partial<IView>) => {
    change(path, wanted);
    if (missing > 0 && (wanted.filter?.trim() || (wanted.by ?? -1) >= 0)) {
      fetch(path, stored);
    }
  };
  const more = () => {
    const shown = now.shown + PAGE;
    change(path, { shown });
    if (missing > 0 && shown > here) {
      fetch(path, shown);
    }
  };
  return (
    <div className="jp-nbml-table" aria-busy={(missing > 0 && table.loading) || undefined}>
      {table.caption && <p className="jp-nbml-muted">{visible(table.caption)}</p>}
      {filterable && (
        <div className="jp-nbml-bar">
          <input
            type="search"
            className="jp-nbml-input"
            aria-label={trans.__('Filter rows')}
            placeholder={trans.__('Filter')}
            value={now.filter}
            onChange={event => arranged({ filter: event.target.value, shown: PAGE })}
          />
          <span className="jp-nbml-muted" role="status">
            {now.filter.trim()
              ? trans.__('%1 of %2 rows', digits(order.length), digits(missing > 0 ? stored : here))
              : trans.__('%1 rows', digits(table.total))}
            {missing > 0 && table.loading && trans.__(' · %1 read', digits(here))}
            {missing <= 0 && here < table.total && trans.__(' · the first %1 were kept', digits(here))}
          </span>
        </div>
      )}
      <div className="jp-nbml-scroll" tabIndex={0} role="region" aria-label={visible(table.caption) || trans.__('Rows')}>
        <table>
          <thead>
            <tr>
              {table.columns.map((column, i) => (
                <Head key={i} column={column} right={right(table, i)} now={now} index={i} sort={arranged} />
              ))}
            </tr>
          </thead>
          <tbody>
            {order.slice(0, now.shown).map(i => {
              const open = now.unfolded.includes(i);
              const toggle = () => change(path, { unfolded: open ? now.unfolded.filter(n => n !== i) : [...now.unfolded, i] });
              return (
                <React.Fragment key={i}>
                  <tr>
                    {table.columns.map((column, j) => (
                      <Data key={j} table={table} index={j} row={i} column={column} trans={trans}>
                        {folds && j === 0 && <Fold open={open} toggle={toggle} of={write(table.rows[i][0], column)} trans={trans} />}
                      </Data>
                    ))}
                  </tr>
                  {folds && open && (
                    <tr className="jp-nbml-unfolded">
                      <td colSpan={table.columns.length}>{fold.draw(table, i)}</td>
                    </tr>
                  )}
                </React.Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
      {(order.length > now.shown || (missing > 0 && !now.filter.trim())) && (
        <button className="jp-nbml-quiet" onClick={more}>
          {trans.__('%1 more', digits(Math.min(PAGE, (now.filter.trim() ? order.length : stored) - Math.min(now.shown, here))))}
        </button>
      )}
    </div>
  );
}

interface IHeadProps {
  column: IColumn;
  right: boolean;
  now: IView;
  index: number;
  sort(change: Partial<IView>): void;
}

/** Once: ascending; again: descending; a third time: the table's own order. */
function Head(props: IHeadProps): JSX.Element {
  const { column, now, index, sort } = props;
  const mine = now.by === index;
  const next = !mine ? { by: index, down: false } : now.down ? { by: -1, down: false } : { by: index, down: true };
  return (
    <th
      scope="col"
      data-right={props.right || undefined}
      aria-sort={mine ? (now.down ? 'descending' : 'ascending') : 'none'}
    >
      <button onClick={() => sort(next)}>{visible(column.name)}</button>
    </th>
  );
}

function Fold(props: { open: boolean; toggle(): void; of: string; trans: TranslationBundle }): JSX.Element {
  const { open, toggle, of, trans } = props;
  const label = open ? trans.__('Hide the values of %1', visible(of)) : trans.__('Show the values of %1', visible(of));
  return (
    <button className="jp-nbml-fold" aria-expanded={open} aria-label={label} title={label} onClick={toggle}>
      {open ? '\u25be' : '\u25b8'}
    </button>
  );
}

interface IDataProps {
  table: ITable;
  index: number;
  row: number;
  column: IColumn;
  children?: React.ReactNode;
  trans: TranslationBundle;
}

function Data(props: IDataProps): JSX.Element {
  const { table, index, row, column, children, trans } = props;
  const cell = table.rows[row][index];
  const words = typeof cell === 'string' ? visible(cell) : Array.isArray(cell) ? visible(plain(cell)) : '';
  const filled = column.bar ? share(table, index, cell) : 0;
  const marked = filled > 0 ? mark(table, index, row) : null;
  const style = filled > 0 ? ({ '--jp-nbml-share': `${filled}%`, '--jp-nbml-mark': `${marked ?? 0}%` } as React.CSSProperties) : undefined;
  return (
    <td
      data-right={right(table, index) || undefined}
      data-code={column.format === 'code' || undefined}
      data-barred={column.bar ? true : undefined}
      data-bar={filled > 0 ? column.bar : undefined}
      data-mark={marked !== null || undefined}
      style={style}
      title={words.length > LONG ? words : undefined}
    >
      {children}
      <Value cell={cell} column={column} trans={trans} />
    </td>
  );
}

function Value(props: { cell: Cell; column: IColumn; trans: TranslationBundle }): JSX.Element {
  const { cell, column, trans } = props;
  if (Array.isArray(cell)) {
    return <Text of={cell} />;
  }
  if (typeof cell === 'object' && cell !== null) {
    return cell.type === 'gauge' ? <Gauge of={cell} /> : <Picture of={cell} trans={trans} />;
  }
  const text = visible(write(cell, column));
  if (column.format === 'time' && typeof cell === 'number') {
    return <span title={exactly(cell)}>{text}</span>;
  }
  return column.format === 'code' && text ? <code>{text}</code> : <>{text}</>;
}

