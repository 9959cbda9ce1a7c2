/** The values that broke an expectation, as the record of the check has them. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { digits, visible } from './figures';
import { Cell, plain } from './mime';

type Fields = { readonly [key: string]: unknown };

export interface IUnexpectedProps {
  /** The expectation, as the report writes it. */
  of: Cell;
  /** The body of the check. */
  body(): Promise<unknown>;
  trans: TranslationBundle;
}

interface ITold {
  /** Each value as text, in how many rows it is, and the first row that has it. */
  values: { value: string; count: number | null; at: string }[];
  facts: string[];
}

export function Unexpected(props: IUnexpectedProps): JSX.Element {
  const { of, body, trans } = props;
  const text = Array.isArray(of) ? plain(of) : String(of ?? '');
  const [told, set] = React.useState<ITold | string | null>(null);
  React.useEffect(() => {
    let here = true;
    body().then(
      found => here && set(tell(found, text, trans)),
      () => here && set(trans.__('The record of this check is not to be had here.'))
    );
    return () => {
      here = false;
    };
  }, [text]);
  if (told === null || typeof told === 'string') {
    return <p className="jp-nbml-muted">{told ?? '\u2026'}</p>;
  }
  return (
    <div className="jp-nbml-values">
      {told.values.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('unexpected value')}</th>
              <th scope="col" data-right>
                {trans.__('rows')}
              </th>
              <th scope="col">{trans.__('first at index')}</th>
            </tr>
          </thead>
          <tbody>
            {told.values.map(({ value, count, at }, i) => (
              <tr key={i}>
                <td>
                  <code>{visible(value)}</code>
                </td>
                <td data-right>{count === null ? '' : digits(count)}</td>
                <td>{visible(at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="jp-nbml-muted">{told.facts.join(' \u00b7 ')}</p>
    </div>
  );
}

/** What the body of a check says of one of its expectations; a sentence where it says nothing. */
function tell(body: unknown, text: string, trans: TranslationBundle): ITold | string {
  const result = list(fields(body).results).map(fields).find(r => expression(r) === text);
  if (!result) {
    return trans.__('The record says nothing of this expectation.');
  }
  const own = fields(result.result);
  const [count, asked, nulls] = [own.unexpected_count, own.element_count, own.missing_count].map(number);
  const facts: string[] = [];
  if (count !== null && asked !== null) {
    facts.push(trans.__('%1 of %2 rows', digits(count), digits(asked)));
  }
  if (nulls) {
    facts.push(trans.__('%1 null, not looked at', digits(nulls)));
  }
  if (own.observed_value !== undefined && own.observed_value !== null) {
    facts.push(trans.__('found %1', visible(written(own.observed_value))));
  }
  if (typeof result.reason === 'string' && result.reason) {
    facts.push(visible(result.reason));
  }
  const values = gather(own);
  if (values.length === 0 && count) {
    facts.push(trans.__('the values were not kept'));
  } else if (count !== null && values.some(v => v.count !== null) && values.reduce((n, v) => n + (v.count ?? 0), 0) < count) {
    facts.push(trans.__('the first values'));
  }
  return { values, facts: facts.length ? facts : [trans.__('nothing more was kept of it')] };
}

function gather(own: Fields): ITold['values'] {
  const shown = list(own.partial_unexpected_list).map(written);
  const places = list(own.partial_unexpected_index_list).map(place);
  const first = (value: string) => places[shown.indexOf(value)] ?? '';
  const counts = list(own.partial_unexpected_counts).map(fields);
  if (counts.length > 0) {
    return counts.map(c => {
      const value = written(c.value);
      return { value, count: number(c.count), at: first(value) };
    });
  }
  return [...new Set(shown)].map(value => ({ value, count: null, at: first(value) }));
}

/** Great Expectations gives a row's place as a number, or as an object of its index's levels and the value. */
function place(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.values(value).map(written).join(', ') : written(value);
}

/** A value of the data: text in quotes, so that blanks are seen. */
function written(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value) ?? '';
}

/** An expectation as the report writes it: without its keywords, but for `where`. */
function expression(result: Fields): string {
  const config = fields(result.expectation_config);
  const own = fields(fields(config.meta).nbml);
  const text = own.short || own.text || config.type;
  const where = typeof own.where === 'string' && own.where ? ` where ${own.where}` : '';
  return typeof text === 'string' ? text + where : '';
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
