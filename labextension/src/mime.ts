/**
 * `application/vnd.nbml.v1+json` as TypeScript sees it, and the one function that turns anybody's JSON into it.
 *
 * A notebook may come from anywhere. So nothing of the payload is used before its type was looked at: an object as
 * a React child blanks the output, an id becomes part of a URL, and a link's address may be a script.
 */

import { plotted, Plotted } from './plotted';

export const MIME = 'application/vnd.nbml.v1+json';

export type State = 'well' | 'look' | 'bad' | 'running' | 'idle';
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ISpan {
  text: string;
  style?: 'strong' | 'code' | 'muted' | 'link' | 'chip';
  state?: State;
  url?: string;
}

export interface ISpark {
  type: 'spark';
  values: (number | null)[];
  alt: string;
  state: State;
}

export interface IHistogram {
  type: 'histogram';
  reference: number[];
  now: number[];
  alt: string;
}

/** Where a value lies against the bounds that it should lie within; null is no bound. */
export interface IGauge {
  type: 'gauge';
  at: number | null;
  low: number | null;
  high: number | null;
  alt: string;
}

/** A cell of a table: a plain value, text with styles, or a drawing. */
export type Cell = null | boolean | number | string | ISpan[] | ISpark | IHistogram | IGauge;

export interface IColumn {
  name: string;
  align: 'left' | 'right' | 'auto';
  format?: string;
  bar?: State;
  barMax?: number;
  /** The column whose value is marked on the bar. */
  mark?: string;
}

export interface ITable {
  type: 'table';
  columns: IColumn[];
  rows: Cell[][];
  /** Rows of the whole table; those beyond `rows` are in the store. */
  total: number;
  /** Of those the rows that the store has, once it has said so. */
  stored?: number;
  /** More rows are on their way. */
  loading?: boolean;
  caption: string;
}

export type Part =
  | { type: 'line'; text: ISpan[] }
  | { type: 'note'; state: State; word: string; text: ISpan[] }
  | { type: 'progress'; done: number; total: number; label: ISpan[] }
  | { type: 'details'; summary: ISpan[]; parts: Part[] }
  | { type: 'code'; source: string; language: string }
  | ITable
  | ISpark
  | IHistogram
  | Plotted;

export interface IResult {
  id: string;
  kind: string;
  ref: string;
  title: ISpan[];
  state: State;
  word: string;
  facts: string[];
  next: string[];
  parts: Part[];
}

export const RESULT_ID = /^[0-9a-f]{32}$/;

const STATES: readonly string[] = ['well', 'look', 'bad', 'running', 'idle'];
const STYLES: readonly string[] = ['strong', 'code', 'muted', 'link', 'chip'];
const DEEPEST = 6;

type Fields = { readonly [key: string]: unknown };

/** Thrown inside this file only: the payload is not of the form that this version draws. */
class Unreadable extends Error {}

function unreadable(): never {
  throw new Unreadable();
}

/** null where the payload is malformed or of a later version: the HTML beside it is drawn instead. */
export function parse(data: unknown): IResult | null {
  try {
    const d = fields(data);
    if (typeof d.id !== 'string' || !RESULT_ID.test(d.id)) {
      return null;
    }
    return {
      id: d.id,
      kind: optional(d.kind),
      ref: optional(d.ref),
      title: spans(d.title),
      state: state(d.state),
      word: optional(d.word),
      facts: strings(d.facts),
      next: strings(d.next),
      parts: parts(d.parts, 0)
    };
  } catch (error) {
    if (error instanceof Unreadable) {
      return null;
    }
    throw error;
  }
}

/** The same away from its cell, where `_` is something else: lines on `_` are on `instead`, or left out. */
export function elsewhere(result: IResult | null, instead: string | null): IResult | null {
  const next = result?.next.flatMap(line => (!line.startsWith('_.') ? [line] : instead === null ? [] : [instead + line.slice(1)]));
  return result && { ...result, next: next ?? [] };
}

/** What a reader would hear: the text without its styles. */
export function plain(text: ISpan[]): string {
  return text.map(span => span.text).join('');
}

function parts(value: unknown, depth: number): Part[] {
  if (depth > DEEPEST) {
    throw new Unreadable();
  }
  return list(value ?? []).map(item => part(fields(item), depth));
}

function part(d: Fields, depth: number): Part {
  switch (d.type) {
    case 'line':
      return { type: 'line', text: spans(d.text) };
    case 'note':
      return { type: 'note', state: state(d.state), word: optional(d.word), text: spans(d.text) };
    case 'progress':
      return { type: 'progress', done: number(d.done), total: number(d.total), label: spans(d.label ?? '') };
    case 'details':
      return { type: 'details', summary: spans(d.summary), parts: parts(d.parts, depth + 1) };
    case 'code':
      return { type: 'code', source: string(d.source), language: optional(d.language) };
    case 'spark':
      return spark(d);
    case 'histogram':
      return histogram(d);
    case 'table':
      return table(d);
    default:
      return plotted(d) ?? unreadable();
  }
}

function table(d: Fields): ITable {
  const columns = list(d.columns).map(column);
  const rows = strings(d.rows).map(line => row(line, columns.length));
  const total = d.total == null ? rows.length : number(d.total);
  return { type: 'table', columns, rows, total: Math.max(total, rows.length), caption: optional(d.caption) };
}

function column(value: unknown): IColumn {
  if (typeof value === 'string') {
    return { name: value, align: 'auto' };
  }
  const d = fields(value);
  const align = d.align === 'left' || d.align === 'right' ? d.align : 'auto';
  return {
    name: string(d.name),
    align,
    format: typeof d.format === 'string' ? d.format : undefined,
    bar: typeof d.bar === 'string' && STATES.includes(d.bar) ? (d.bar as State) : undefined,
    barMax: typeof d.max === 'number' && d.max > 0 ? d.max : undefined,
    mark: typeof d.mark === 'string' && d.mark ? d.mark : undefined
  };
}

/** Further rows of a table; null where they are not of its form. */
export function further(rows: unknown, of: ITable): Cell[][] | null {
  try {
    return strings(rows).map(line => row(line, of.columns.length));
  } catch (error) {
    if (error instanceof Unreadable) {
      return null;
    }
    throw error;
  }
}

/** The part at a path such as `.0.2`, which goes into details. */
export function partAt(of: IResult, path: string): Part | undefined {
  let parts = of.parts;
  let found: Part | undefined;
  for (const place of path.split('.').slice(1)) {
    found = parts[Number(place)];
    parts = found?.type === 'details' ? found.parts : [];
  }
  return found;
}

/** Rows are JSON texts, one per row: nbformat would put every cell of nested lists on a line of its own. */
function row(line: string, width: number): Cell[] {
  let values: unknown;
  try {
    values = JSON.parse(line);
  } catch {
    throw new Unreadable();
  }
  const cells = list(values).map(cell);
  if (cells.length !== width) {
    throw new Unreadable();
  }
  return cells;
}

function cell(value: unknown): Cell {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value;
  }
  if (Array.isArray(value)) {
    return spans(value);
  }
  const d = fields(value);
  switch (d.type) {
    case 'spark':
      return spark(d);
    case 'histogram':
      return histogram(d);
    case 'gauge':
      return gauge(d);
    default:
      return [span(d)];
  }
}

function spark(d: Fields): ISpark {
  const values = list(d.values).map(v => (v === null ? null : number(v)));
  return { type: 'spark', values, alt: optional(d.alt), state: state(d.state ?? 'running') };
}

function histogram(d: Fields): IHistogram {
  const counts = (value: unknown) => list(value ?? []).map(v => (v === null ? 0 : Math.max(0, number(v))));
  return { type: 'histogram', reference: counts(d.reference), now: counts(d.now), alt: optional(d.alt) };
}

function gauge(d: Fields): IGauge {
  const end = (value: unknown) => (value === undefined || value === null ? null : number(value));
  return { type: 'gauge', at: end(d.at), low: end(d.low), high: end(d.high), alt: optional(d.alt) };
}

function spans(value: unknown): ISpan[] {
  if (typeof value === 'string') {
    return [{ text: value }];
  }
  return Array.isArray(value) ? value.map(span) : [span(value)];
}

function span(value: unknown): ISpan {
  if (typeof value === 'string') {
    return { text: value };
  }
  const d = fields(value);
  const text = string(d.text);
  const style = typeof d.style === 'string' && STYLES.includes(d.style) ? (d.style as ISpan['style']) : undefined;
  if (style === 'link') {
    return { text, style: safe(d.url) ? style : undefined, url: safe(d.url) ? (d.url as string) : undefined };
  }
  return { text, style, state: d.state === undefined ? undefined : state(d.state) };
}

/** Only addresses that open a page; never `javascript:` or `data:`. */
function safe(url: unknown): boolean {
  return typeof url === 'string' && /^https?:\/\//i.test(url);
}

function state(value: unknown): State {
  if (typeof value !== 'string' || !STATES.includes(value)) {
    throw new Unreadable();
  }
  return value as State;
}

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unreadable();
  }
  return value as Fields;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) {
    throw new Unreadable();
  }
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') {
    throw new Unreadable();
  }
  return value;
}

function optional(value: unknown): string {
  return value === undefined || value === null ? '' : string(value);
}

function strings(value: unknown): string[] {
  return list(value ?? []).map(string);
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new Unreadable();
  }
  return value;
}
