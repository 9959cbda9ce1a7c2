/** Curves over each other, parallel coordinates and differences of programs, for looking into: with the pointer, without a kernel. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { scale } from './drawings';
import { digits, visible } from './figures';
import { ICurves, IDiff, IParallel, ISeries, IStrand } from './plotted';

const [WIDE, TALL, LEFT, RIGHT, TOP, LOW] = [620, 190, 56, 14, 10, 24];

/** An SVG's own coordinates of a pointer, whatever its size on the page. */
function at(event: React.PointerEvent<SVGElement>): { x: number; y: number } {
  const svg = event.currentTarget instanceof SVGSVGElement ? event.currentTarget : event.currentTarget.ownerSVGElement;
  const matrix = svg?.getScreenCTM();
  if (!svg || !matrix) {
    return { x: 0, y: 0 };
  }
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return { x: point.x, y: point.y };
}

function ends(values: number[]): [number, number] {
  return values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [values[0], values[0]]);
}

/** The nearest point is told; its curve stands out. */
export function Curves(props: { of: ICurves; trans: TranslationBundle }): JSX.Element {
  const { name, x: across, series, alt } = props.of;
  const [near, tell] = React.useState<{ s: number; i: number } | null>(null);
  const known = series.flatMap(s => s.points.filter((p): p is [number, number] => p[1] !== null));
  if (known.length === 0) {
    return <p className="jp-nbml-muted">{props.trans.__('%1: no finite value', visible(name))}</p>;
  }
  const [first, last] = ends(known.map(p => p[0]));
  const [low, high] = ends(known.map(p => p[1]));
  const along = (step: number) => (last === first ? 0.5 : (step - first) / (last - first));
  const x = (step: number) => LEFT + along(step) * (WIDE - LEFT - RIGHT);
  const y = scale(low, high, TOP, TALL - LOW);
  const look = (event: React.PointerEvent<SVGSVGElement>) => tell(nearest(series, at(event), x, y));
  const levels = high === low ? [low] : [low, (low + high) / 2, high];
  const spot = near && series[near.s].points[near.i];
  return (
    <figure className="jp-nbml-plot">
      <figcaption>
        <code>{visible(name)}</code>
        <span className="jp-nbml-muted" role="status">
          {near && spot && ` ${visible(series[near.s].name)} · ${visible(across)} ${digits(spot[0])} · ${digits(spot[1] ?? 0)}`}
        </span>
      </figcaption>
      <svg
        className="jp-nbml-curves"
        role="img"
        aria-label={visible(alt)}
        viewBox={`0 0 ${WIDE} ${TALL}`}
        onPointerMove={look}
        onPointerLeave={() => tell(null)}
      >
        {levels.map(v => (
          <React.Fragment key={v}>
            <line x1={LEFT} x2={WIDE - RIGHT} y1={y(v)} y2={y(v)} />
            <text x={LEFT - 8} y={y(v) + 4} textAnchor="end">
              {digits(v)}
            </text>
          </React.Fragment>
        ))}
        <text x={LEFT} y={TALL - 6}>
          {digits(first)}
        </text>
        <text x={WIDE - RIGHT} y={TALL - 6} textAnchor="end">
          {`${visible(across)} ${digits(last)}`}
        </text>
        {series.map((s, i) => (
          <path key={i} d={path(s, x, y)} stroke={s.colour} data-faded={(near && near.s !== i) || undefined} />
        ))}
        {series.map(({ points: [[step, value] = [0, null], ...more], colour }, i) =>
          value === null || more.length > 0 ? null : <circle key={i} cx={x(step)} cy={y(value)} r={3} fill={colour} />
        )}
        {near && spot && spot[1] !== null && <circle cx={x(spot[0])} cy={y(spot[1])} r={4} fill={series[near.s].colour} />}
      </svg>
      {series.length > 1 && <Legend of={series} faded={i => near !== null && near.s !== i} />}
    </figure>
  );
}

/** The point that the pointer is nearest to, as it is seen. */
function nearest(series: ISeries[], { x: px, y: py }: { x: number; y: number }, x: (v: number) => number, y: (v: number) => number) {
  let found: { s: number; i: number } | null = null;
  let least = Infinity;
  series.forEach((one, s) =>
    one.points.forEach(([step, value], i) => {
      // across counts double: one reads a curve at a step
      const far = value === null ? Infinity : 4 * (x(step) - px) ** 2 + (y(value) - py) ** 2;
      if (far < least) {
        [found, least] = [{ s, i }, far];
      }
    })
  );
  return found as { s: number; i: number } | null;
}

function path(series: ISeries, x: (v: number) => number, y: (v: number) => number): string {
  let pen = 'M';
  return series.points
    .map(([step, value]) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const at = `${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
      const drawn = pen === 'M' ? `M${at}L${at}` : `L${at}`; // one that stands alone is a dot
      pen = 'L';
      return drawn;
    })
    .join('');
}

function Legend(props: { of: { name: string; colour: string }[]; faded(i: number): boolean }): JSX.Element {
  return (
    <p className="jp-nbml-legend">
      {props.of.map((one, i) => (
        <span key={i} data-faded={props.faded(i) || undefined}>
          <svg width={14} height={8} aria-hidden="true">
            <line x1={0} x2={14} y1={4} y2={4} stroke={one.colour} strokeWidth={2.5} />
          </svg>
          {visible(one.name)}
        </span>
      ))}
    </p>
  );
}

const [APART, BESIDE, OVER, HIGH, UNDER] = [124, 62, 42, 190, 22];
type Range = [number, number];

/** The pointer on a line tells it; a stretch of an axis that is drawn over keeps the lines that cross there. */
export function Parallel(props: { of: IParallel; trans: TranslationBundle }): JSX.Element {
  const { axes, lines, alt } = props.of;
  const { trans } = props;
  const [over, tell] = React.useState<number | null>(null);
  const [kept, keep] = React.useState<{ readonly [axis: number]: Range }>({});
  const begun = React.useRef<{ axis: number; place: number } | null>(null);
  const width = 2 * BESIDE + APART * (axes.length - 1);
  const height = OVER + HIGH + UNDER;
  const x = (axis: number) => BESIDE + APART * axis;
  const y = (place: number) => OVER + (1 - place) * HIGH;
  const place = (event: React.PointerEvent<SVGElement>) => Math.min(1, Math.max(0, 1 - (at(event).y - OVER) / HIGH));
  const brushed = Object.entries(kept);
  const chosen = (line: IStrand) =>
    brushed.every(([axis, [low, high]]) => {
      const here = line.places[Number(axis)];
      return here !== null && here >= low && here <= high;
    });
  const count = lines.filter(chosen).length;
  const clear = (axis: number) => keep(Object.fromEntries(brushed.filter(([which]) => Number(which) !== axis)));
  const told =
    over !== null
      ? [lines[over].name, ...axes.flatMap((axis, i) => (lines[over].texts[i] ? [`${axis.name} ${lines[over].texts[i]}`] : []))]
          .map(visible)
          .join(' · ')
      : brushed.length > 0
        ? trans.__('%1 of %2 runs', digits(count), digits(lines.length))
        : trans.__('Point at a line; drag along an axis to choose');
  return (
    <figure className="jp-nbml-plot">
      <div className="jp-nbml-scroll" tabIndex={0} role="region" aria-label={visible(alt)}>
        <svg
          className="jp-nbml-parallel"
          role="img"
          aria-label={visible(alt)}
          viewBox={`0 0 ${width} ${height}`}
          style={{ minWidth: Math.min(width, 96 * axes.length), maxWidth: width * 1.25 }}
        >
          {lines.map((line, i) => (
            <g
              key={i}
              data-line={i}
              data-faded={(over !== null ? over !== i : !chosen(line)) || undefined}
              onPointerEnter={() => chosen(line) && tell(i)}
              onPointerLeave={() => tell(null)}
            >
              <Strand of={line} x={x} y={y} />
            </g>
          ))}
          {axes.map((axis, i) => (
            <g
              key={i}
              className="jp-nbml-axis"
              data-axis={i}
              onPointerDown={event => {
                event.currentTarget.setPointerCapture(event.pointerId);
                begun.current = { axis: i, place: place(event) };
              }}
              onPointerMove={event => {
                const from = begun.current;
                if (from?.axis === i) {
                  const to = place(event);
                  keep({ ...kept, [i]: [Math.min(from.place, to), Math.max(from.place, to)] });
                }
              }}
              onPointerUp={() => {
                begun.current = null;
                if (kept[i] && kept[i][1] - kept[i][0] < 0.02) {
                  clear(i); // a click, no stretch
                }
              }}
              onPointerCancel={() => {
                begun.current = null;
              }}
              onDoubleClick={() => clear(i)}
            >
              <title>{visible(axis.name)}</title>
              <line x1={x(i)} x2={x(i)} y1={y(0)} y2={y(1)} />
              <rect className="jp-nbml-grip" x={x(i) - 12} y={OVER - 6} width={24} height={HIGH + 12} />
              {kept[i] && (
                <rect className="jp-nbml-brush" x={x(i) - 6} y={y(kept[i][1])} width={12} height={y(kept[i][0]) - y(kept[i][1])} />
              )}
              <text x={x(i)} y={14} textAnchor="middle">
                {short(axis.name, 19)}
              </text>
              {axis.ticks.map(([where, words], n) => (
                <Tick key={n} where={where} words={words} x={x(i)} y={y} />
              ))}
            </g>
          ))}
        </svg>
      </div>
      <figcaption className="jp-nbml-muted" role="status">
        {told}
      </figcaption>
      {lines.length <= 8 && <Legend of={lines} faded={i => (over !== null ? over !== i : !chosen(lines[i]))} />}
    </figure>
  );
}

/** The ends stand above and below their axis, where no line goes. */
function Tick(props: { where: number; words: string; x: number; y(place: number): number }): JSX.Element {
  const { where, words, x, y } = props;
  const end = where <= 0 ? y(0) + 16 : where >= 1 ? y(1) - 8 : null;
  return (
    <text className="jp-nbml-tick" x={end === null ? x + 7 : x} y={end ?? y(where) + 4} textAnchor={end === null ? 'start' : 'middle'}>
      {short(words, end === null ? 14 : 18)}
    </text>
  );
}

/** A dashed piece passes the axes on which the run has nothing. */
function Strand(props: { of: IStrand; x(axis: number): number; y(place: number): number }): JSX.Element {
  const { of, x, y } = props;
  const known = of.places.flatMap((place, axis) => (place === null ? [] : [{ axis, place }]));
  const pieces = known.slice(1).map((to, i) => ({ from: known[i], to }));
  const d = (part: { from: { axis: number; place: number }; to: { axis: number; place: number } }) =>
    `M${x(part.from.axis)} ${y(part.from.place).toFixed(1)}L${x(part.to.axis)} ${y(part.to.place).toFixed(1)}`;
  return (
    <>
      {pieces.map((piece, i) => (
        <path key={i} d={d(piece)} stroke={of.colour} strokeDasharray={piece.to.axis > piece.from.axis + 1 ? '2 4' : undefined} />
      ))}
      {known.map(({ axis, place }) => (
        <circle key={axis} cx={x(axis)} cy={y(place)} r={2.5} fill={of.colour} />
      ))}
      <path className="jp-nbml-reach" d={pieces.map(d).join('')} />
    </>
  );
}

function short(text: string, most: number): string {
  const shown = visible(text);
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}

const SIGNS: { readonly [sign: string]: string } = { '-': '−', '+': '+' };

/** What went and what came, with the sign in a column of its own. */
export function Diff(props: { of: IDiff; trans: TranslationBundle }): JSX.Element {
  const { from, to, lines, alt } = props.of;
  return (
    <figure className="jp-nbml-plot">
      <figcaption>
        <span className="jp-nbml-muted">{`− ${visible(from)}  + ${visible(to)}`}</span>
      </figcaption>
      <div className="jp-nbml-diff" tabIndex={0} role="region" aria-label={visible(alt) || props.trans.__('Code')}>
        {lines.map(([sign, line], i) => (
          <div key={i} data-sign={sign}>
            <span>{SIGNS[sign] ?? ''}</span>
            <code>{visible(line) || ' '}</code>
          </div>
        ))}
      </div>
    </figure>
  );
}
