/** The parts of a result, drawn. Everything is a text node: what looks like HTML is shown as it is written. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Chip, Histogram, Sparkline } from './drawings';
import { Cell, IColumn, ISpan, ITable, Part } from './mime';
import { digits, exactly } from './figures';
import { arrange, IOrder, right, share, write } from './table';

/** Rows that are drawn before "more". */
export const PAGE = 50;
/** A table of so few rows is read faster than a filter is typed. */
const FEW = 8;

/** How the reader left a table or a details part; kept by the widget, since a detached output loses React's state. */
export interface IView extends IOrder {
  shown: number;
  open: boolean;
}

export const FRESH: IView = { by: -1, down: false, filter: '', shown: PAGE, open: false };

export interface IPartProps {
  view(path: string): IView;
  change(path: string, change: Partial<IView>): void;
  /** Fetch all rows from the store. */
  whole(): void;
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
  const { text, style, state, url } = props.of;
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
          <Sparkline values={part.values} state={part.state} alt={part.alt} width={240} height={36} />
        </p>
      );
    case 'histogram':
      return (
        <p>
          <Histogram of={part} />
        </p>
      );
    case 'code':
      return (
        <pre className="jp-nbml-code" tabIndex={0} aria-label={rest.trans.__('Code')}>
          <code>{part.source}</code>
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
  const { table, path, view, change, whole, trans } = props;
  const now = view(path);
  const order = arrange(table, now);
  const missing = table.total - table.rows.length;
  const filterable = table.rows.length > FEW || missing > 0;
  return (
    <div className="jp-nbml-table">
      {table.caption && <p className="jp-nbml-muted">{table.caption}</p>}
      {filterable && (
        <div className="jp-nbml-bar">
          <input
            type="search"
            className="jp-nbml-input"
            aria-label={trans.__('Filter rows')}
            placeholder={trans.__('Filter')}
            value={now.filter}
            onChange={event => change(path, { filter: event.target.value, shown: PAGE })}
          />
          <span className="jp-nbml-muted" role="status">
            {now.filter.trim()
              ? trans.__('%1 of %2 rows', digits(order.length), digits(table.rows.length))
              : trans.__('%1 rows', digits(table.rows.length))}
            {missing > 0 && trans.__(', %1 in the store', digits(table.total))}
          </span>
          {missing > 0 && (
            <button className="jp-nbml-quiet" onClick={whole}>
              {trans.__('Load all')}
            </button>
          )}
        </div>
      )}
      <div className="jp-nbml-scroll" tabIndex={0} role="region" aria-label={table.caption || trans.__('Rows')}>
        <table>
          <thead>
            <tr>
              {table.columns.map((column, i) => (
                <Head key={i} column={column} right={right(table, i)} now={now} index={i} sort={c => change(path, c)} />
              ))}
            </tr>
          </thead>
          <tbody>
            {order.slice(0, now.shown).map(i => (
              <tr key={i}>
                {table.columns.map((column, j) => (
                  <Data key={j} table={table} index={j} cell={table.rows[i][j]} column={column} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {order.length > now.shown && (
        <button className="jp-nbml-quiet" onClick={() => change(path, { shown: now.shown + PAGE })}>
          {trans.__('%1 more', digits(Math.min(PAGE, order.length - now.shown)))}
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
      <button onClick={() => sort(next)}>{column.name}</button>
    </th>
  );
}

function Data(props: { table: ITable; index: number; cell: Cell; column: IColumn }): JSX.Element {
  const { table, index, cell, column } = props;
  const filled = column.bar ? share(table, index, cell) : 0;
  const style = filled > 0 ? ({ '--jp-nbml-share': `${filled}%` } as React.CSSProperties) : undefined;
  return (
    <td data-right={right(table, index) || undefined} data-bar={filled > 0 ? column.bar : undefined} style={style}>
      <Value cell={cell} column={column} />
    </td>
  );
}

function Value(props: { cell: Cell; column: IColumn }): JSX.Element {
  const { cell, column } = props;
  if (Array.isArray(cell)) {
    return <Text of={cell} />;
  }
  if (typeof cell === 'object' && cell !== null) {
    return cell.type === 'spark' ? (
      <Sparkline values={cell.values} state={cell.state} alt={cell.alt} width={72} />
    ) : (
      <Histogram of={cell} />
    );
  }
  const text = write(cell, column);
  if (column.format === 'time' && typeof cell === 'number') {
    return <span title={exactly(cell)}>{text}</span>;
  }
  return column.format === 'code' && text ? <code>{text}</code> : <>{text}</>;
}

