/** Curves, parallel coordinates and differences as a payload holds them; each reader gives null for what is not of its form. */

export interface ISeries {
  name: string;
  colour: string;
  points: [number, number | null][];
}

/** One metric of several runs, or several of one. */
export interface ICurves {
  type: 'curves';
  name: string;
  x: string;
  series: ISeries[];
  alt: string;
}

export interface IAxis {
  name: string;
  ticks: [number, string][];
}

/** One run: where it crosses each axis (0 at the bottom, 1 on top, null where it has no value), and what it has there. */
export interface IStrand {
  name: string;
  colour: string;
  places: (number | null)[];
  texts: string[];
}

export interface IParallel {
  type: 'parallel';
  axes: IAxis[];
  lines: IStrand[];
  alt: string;
}

/** Two programs: lines that both have ("="), that went ("-") or came ("+"), and what was left out. */
export interface IDiff {
  type: 'diff';
  from: string;
  to: string;
  lines: [string, string][];
  alt: string;
}

export type Plotted = ICurves | IParallel | IDiff;

type Fields = { readonly [key: string]: unknown };

/** A colour goes into an attribute: nothing but a colour may. */
const COLOUR = /^#[0-9a-f]{6}$/i;
const IDLE = '#808080';

const text = (value: unknown): value is string => typeof value === 'string';
const real = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const gap = (value: unknown): value is number | null => value === null || real(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const colour = (value: unknown): string => (text(value) && COLOUR.test(value) ? value : IDLE);
const words = (value: unknown): string => (text(value) ? value : '');

/** Pairs of which both halves are as they should be; the others are left out. */
function pairs<A, B>(of: unknown, first: (v: unknown) => v is A, second: (v: unknown) => v is B): [A, B][] {
  return list(of).filter((p): p is [A, B] => Array.isArray(p) && p.length === 2 && first(p[0]) && second(p[1]));
}

function curves(d: Fields): ICurves | null {
  const series = list(d.series).map(fields);
  if (!text(d.name) || series.some(s => !text(s.name))) {
    return null;
  }
  const drawn = series.map(s => ({ name: words(s.name), colour: colour(s.colour), points: pairs(s.points, real, gap) }));
  return { type: 'curves', name: d.name, x: words(d.x) || 'step', series: drawn, alt: words(d.alt) };
}

function parallel(d: Fields): IParallel | null {
  const axes = list(d.axes).map(fields);
  const lines = list(d.lines).map(fields);
  const whole = (s: Fields) => text(s.name) && list(s.places).length === axes.length && list(s.places).every(gap);
  if (axes.length < 2 || axes.some(a => !text(a.name)) || !lines.every(whole)) {
    return null;
  }
  return {
    type: 'parallel',
    axes: axes.map(a => ({ name: words(a.name), ticks: pairs(a.ticks, real, text) })),
    lines: lines.map(s => ({
      name: words(s.name),
      colour: colour(s.colour),
      places: list(s.places) as (number | null)[],
      texts: axes.map((_, i) => words(list(s.texts)[i]))
    })),
    alt: words(d.alt)
  };
}

function diff(d: Fields): IDiff | null {
  const lines = pairs(d.lines, text, text);
  return lines.length !== list(d.lines).length ? null : { type: 'diff', from: words(d.from), to: words(d.to), lines, alt: words(d.alt) };
}

/** Any of them; null for what is none, or not of its form. */
export function plotted(d: Fields): Plotted | null {
  return d.type === 'curves' ? curves(d) : d.type === 'parallel' ? parallel(d) : d.type === 'diff' ? diff(d) : null;
}
