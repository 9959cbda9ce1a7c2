/** Small drawings: a state's dot and chip, a sparkline, two histograms over each other, a gauge. Each says itself in words. */

import * as React from 'react';
import { digits, visible } from './figures';
import { IGauge, IHistogram, State } from './mime';

export function Dot(props: { state: State }): JSX.Element {
  return <span className="jp-nbml-dot" data-state={props.state} aria-hidden="true" />;
}

export function Chip(props: { state: State; children: React.ReactNode }): JSX.Element {
  return (
    <span className="jp-nbml-chip" data-state={props.state}>
      {props.children}
    </span>
  );
}

export interface ISparklineProps {
  values: (number | null)[];
  state?: State;
  alt?: string;
  width?: number;
  height?: number;
}

/** A line through the values; gaps where one is missing, nothing where there are fewer than two. */
export function Sparkline(props: ISparklineProps): JSX.Element | null {
  const { values, state = 'running', width = 60, height = 16 } = props;
  const real = values.filter((v): v is number => v !== null);
  if (real.length < 2) {
    return null;
  }
  const low = real.reduce((a, b) => Math.min(a, b));
  const high = real.reduce((a, b) => Math.max(a, b));
  const x = (i: number) => 1 + (i * (width - 2)) / (values.length - 1);
  return (
    <svg className="jp-nbml-spark" data-state={state} role="img" aria-label={curveAlt(values, props.alt)} width={width} height={height}>
      <path d={curve(values, x, scale(low, high, 2, height - 2))} />
    </svg>
  );
}

/** A curve in words. */
export function curveAlt(values: (number | null)[], alt?: string): string {
  const real = values.filter((v): v is number => v !== null);
  return alt || (real.length ? `from ${digits(real[0])} to ${digits(real[real.length - 1])}` : '');
}

/** Where a value lies between `top` and `bottom`; all in the middle where there is one value only. */
export function scale(low: number, high: number, top: number, bottom: number): (v: number) => number {
  return v => (high === low ? (top + bottom) / 2 : top + (1 - (v - low) / (high - low)) * (bottom - top));
}

/** The path of an SVG through the values. */
export function curve(values: (number | null)[], x: (i: number) => number, y: (v: number) => number): string {
  const lines: string[] = [];
  let pen = 'M';
  values.forEach((v, i) => {
    if (v === null) {
      pen = 'M';
    } else {
      lines.push(`${pen}${x(i).toFixed(1)} ${y(v).toFixed(1)}`);
      pen = 'L';
    }
  });
  return lines.join('');
}

/** How things went, one after another: a box for each; `null` where nothing was asked. */
export function Strip(props: { of: (State | null)[]; alt: string }): JSX.Element | null {
  const { of, alt } = props;
  const [box, gap, height] = [4, 2, 12];
  return of.length === 0 ? null : (
    <svg className="jp-nbml-strip" role="img" aria-label={alt} width={of.length * (box + gap) - gap} height={height}>
      {of.map((state, i) => (
        // Not by colour alone: what went well is low, what did not is high.
        <rect
          key={i}
          data-state={state ?? 'idle'}
          x={i * (box + gap)}
          y={state === null ? height - 2 : state === 'well' ? height / 2 : 0}
          width={box}
          height={state === null ? 2 : state === 'well' ? height / 2 : height}
        />
      ))}
    </svg>
  );
}

/** The reference as filled bars, what is now as outlines over them. */
export function Histogram(props: { of: IHistogram; width?: number; height?: number }): JSX.Element {
  const { width = 96, height = 20 } = props;
  const { reference, now, alt } = props.of;
  const shares = (counts: number[]) => {
    const sum = counts.reduce((a, b) => a + b, 0);
    return counts.map(n => (sum > 0 ? n / sum : 0));
  };
  const [was, is] = [shares(reference), shares(now)];
  const most = Math.max(...was, ...is, 1e-12);
  const bars = (of: number[], name: string) =>
    of.map((v, i) => {
      const h = (v / most) * (height - 1);
      const w = width / of.length;
      return <rect key={`${name}${i}`} className={name} x={i * w + 0.5} y={height - h} width={Math.max(1, w - 1.5)} height={h} />;
    });
  return (
    <svg className="jp-nbml-histogram" role="img" aria-label={alt} width={width} height={height}>
      {bars(was, 'jp-nbml-was')}
      {bars(is, 'jp-nbml-is')}
    </svg>
  );
}

/** The bounds as a grey band on a line, the value as a mark; the words alone where nothing can be drawn. */
export function Gauge(props: { of: IGauge; width?: number; height?: number }): JSX.Element {
  const { width = 110, height = 14 } = props;
  const alt = visible(props.of.alt);
  const places = marked(props.of);
  if (places === null) {
    return <span className="jp-nbml-muted">{alt}</span>;
  }
  const [low, high, at] = places.map(place => 1 + place * (width - 2));
  return (
    <svg className="jp-nbml-gauge" role="img" aria-label={alt} width={width} height={height}>
      <title>{alt}</title>
      <rect className="jp-nbml-was" x={0} y={height / 2 - 0.5} width={width} height={1} />
      <rect className="jp-nbml-was" x={low} y={3} width={Math.max(2, high - low)} height={height - 6} />
      <rect className="jp-nbml-at" x={at - 1.5} y={0} width={3} height={height} />
    </svg>
  );
}

/** Where the bounds' ends and the value lie in a picture from 0 to 1. A bound that is not there is an end of the picture. */
function marked({ at, low, high }: IGauge): [number, number, number] | null {
  const known = [low, high, at].filter((v): v is number => v !== null);
  if (at === null || known.length < 2) {
    return null;
  }
  const first = Math.min(...known);
  const span = Math.max(...known) - first || Math.abs(first) || 1;
  if (!Number.isFinite(span)) {
    return null;
  }
  const place = (v: number) => 0.06 + (0.88 * (v - first)) / span;
  return [low === null ? 0 : place(low), high === null ? 1 : place(high), place(at)];
}
