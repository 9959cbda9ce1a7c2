/** Small drawings: a state's dot and chip, a sparkline, two histograms over each other. Each says itself in words. */

import * as React from 'react';
import { IHistogram, State } from './mime';
import { digits } from './figures';

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
  const span = real.reduce((a, b) => Math.max(a, b)) - low;
  const x = (i: number) => 1 + (i * (width - 2)) / (values.length - 1);
  const y = (v: number) => (span === 0 ? height / 2 : 2 + (1 - (v - low) / span) * (height - 4));
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
  const alt = props.alt || `from ${digits(real[0])} to ${digits(real[real.length - 1])}`;
  return (
    <svg className="jp-nbml-spark" data-state={state} role="img" aria-label={alt} width={width} height={height}>
      <path d={lines.join('')} />
    </svg>
  );
}

/** The reference as filled bars, what is now as outlines over them. */
export function Histogram(props: { of: IHistogram }): JSX.Element {
  const { reference, now, alt } = props.of;
  const [width, height] = [96, 20];
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
