/** How many rows each version of a dataset has, as a picture. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { curve, scale } from './drawings';
import { digits, visible } from './figures';

export interface IVersion {
  version: number;
  ref: string;
  made: number;
  rows: number | null;
  columns: number | null;
  bytes: number | null;
  warnings: { code: string; message: string }[];
  note: string;
  result: string;
}

const [WIDTH, NARROW, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [1100, 320, 132, 64, 16, 12, 24];

/** Rows by version, from nothing up, so that a loss is as large as it is; warned versions are marked and named. */
export function RowCounts(props: { of: IVersion[]; shown: number; trans: TranslationBundle }): JSX.Element | null {
  const { of, shown, trans } = props;
  const [picture, width] = useWidth();
  const counts = of.map(v => v.rows);
  const most = counts.reduce<number>((m, n) => Math.max(m, n ?? 0), 0);
  if (most === 0) {
    return null;
  }
  const x = (i: number) => LEFT + (i * (width - LEFT - RIGHT)) / (of.length - 1);
  const y = scale(0, most, TOP, HEIGHT - BOTTOM);
  const warned = of.filter(v => v.warnings.length > 0).map(v => v.ref);
  const said = trans.__('Rows by version, from %1 to %2', digits(counts[0] ?? 0), digits(counts[counts.length - 1] ?? 0));
  const alt = warned.length ? trans.__('%1; warnings at %2', said, warned.join(', ')) : said;
  return (
    <svg ref={picture} className="jp-nbml-axes" data-state="running" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={alt}>
      {[most, 0].map(v => (
        <React.Fragment key={v}>
          <line x1={LEFT} x2={width - RIGHT} y1={y(v)} y2={y(v)} />
          <text x={LEFT - 8} y={y(v) + 4} textAnchor="end">
            {digits(v)}
          </text>
        </React.Fragment>
      ))}
      <path d={curve(counts, x, y)} />
      {of.map((v, i) =>
        v.rows === null ? null : (
          <circle
            key={v.version}
            data-state={v.warnings.length ? 'look' : 'running'}
            data-shown={v.version === shown || undefined}
            cx={x(i)}
            cy={y(v.rows)}
            r={v.warnings.length ? 5 : 3}
          >
            <title>{[v.ref, `${digits(v.rows)} rows`, ...v.warnings.map(w => visible(w.message))].join('\n')}</title>
          </circle>
        )
      )}
      {named(of, x).map(i => (
        <text key={i} x={x(i)} y={HEIGHT - 6} textAnchor={i === of.length - 1 ? 'end' : i === 0 ? 'start' : 'middle'}>
          {`@${of[i].version}`}
        </text>
      ))}
    </svg>
  );
}

/** As wide as there is room, so that its figures are as large as the text around it. */
function useWidth(): [React.RefObject<SVGSVGElement>, number] {
  const picture = React.useRef<SVGSVGElement>(null);
  const [width, set] = React.useState(WIDTH);
  React.useEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      const room = Math.round(entry.contentRect.width);
      if (room > 0) {
        set(Math.max(NARROW, room));
      }
    });
    if (picture.current) {
      watch.observe(picture.current);
    }
    return () => watch.disconnect();
  }, []);
  return [picture, width];
}

/** Which versions have their number below: both ends, then those with a warning, as far as there is room. */
function named(of: IVersion[], x: (i: number) => number): number[] {
  const found = of.length > 1 ? [0, of.length - 1] : [0];
  of.forEach((v, i) => {
    if (v.warnings.length > 0 && found.every(j => Math.abs(x(i) - x(j)) > 36)) {
      found.push(i);
    }
  });
  return found;
}
