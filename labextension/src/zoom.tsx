/** A picture that can be enlarged: click or Enter opens it with its axes, Escape closes it. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { curve, curveAlt, Histogram, scale, Sparkline } from './drawings';
import { digits } from './figures';
import { IHistogram, ISpark } from './mime';

/** Points of a curve that are drawn one by one. */
const POINTS = 120;
const [WIDTH, HEIGHT, LEFT, LOW] = [640, 260, 64, 24];

export interface IZoomProps {
  of: ISpark | IHistogram;
  width?: number;
  height?: number;
  trans: TranslationBundle;
}

export function Picture(props: IZoomProps): JSX.Element {
  const { of, width, height, trans } = props;
  const [open, set] = React.useState(false);
  const alt = of.type === 'spark' ? curveAlt(of.values, of.alt) : of.alt;
  return (
    <>
      <button
        className="jp-nbml-picture"
        aria-label={trans.__('%1, enlarge', alt)}
        aria-haspopup="dialog"
        title={trans.__('Enlarge')}
        onClick={() => set(true)}
      >
        {of.type === 'spark' ? (
          <Sparkline values={of.values} state={of.state} alt={alt} width={width ?? 72} height={height} />
        ) : (
          <Histogram of={of} width={width} height={height} />
        )}
      </button>
      {open && (
        <Large alt={alt} close={() => set(false)} trans={trans}>
          {of.type === 'spark' ? <Curve of={of} /> : <Bars of={of} trans={trans} />}
        </Large>
      )}
    </>
  );
}

function Large(props: { alt: string; close(): void; children: React.ReactNode; trans: TranslationBundle }): JSX.Element {
  const { alt, close, children, trans } = props;
  const dialog = React.useRef<HTMLDialogElement>(null);
  // Closed before it leaves the page, so that the browser gives the focus back to the picture.
  React.useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="jp-nbml-dialog jp-nbml-large"
      aria-label={alt}
      onCancel={close}
      onClose={close}
      onClick={event => event.target === dialog.current && close()}
    >
      <div className="jp-nbml-body">
        {children}
        <p className="jp-nbml-muted">{alt}</p>
      </div>
      <footer>
        <button className="jp-nbml-button" onClick={close}>
          {trans.__('Close')}
        </button>
      </footer>
    </dialog>
  );
}

function Curve(props: { of: ISpark }): JSX.Element {
  const { values, state } = props.of;
  const real = values.filter((v): v is number => v !== null);
  const low = real.reduce((a, b) => Math.min(a, b));
  const high = real.reduce((a, b) => Math.max(a, b));
  const x = (i: number) => LEFT + (i * (WIDTH - LEFT - 12)) / Math.max(1, values.length - 1);
  const y = scale(low, high, 12, HEIGHT - LOW - 8);
  return (
    <svg className="jp-nbml-axes" data-state={state} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      {[...new Set([high, low])].map(v => (
        <React.Fragment key={v}>
          <line x1={LEFT} x2={WIDTH - 12} y1={y(v)} y2={y(v)} />
          <text x={LEFT - 8} y={y(v) + 4} textAnchor="end">
            {digits(v)}
          </text>
        </React.Fragment>
      ))}
      <path d={curve(values, x, y)} />
      {values.length <= POINTS &&
        values.map((v, i) =>
          v === null ? null : (
            <circle key={i} cx={x(i)} cy={y(v)} r={3}>
              <title>{`${i + 1}: ${digits(v)}`}</title>
            </circle>
          )
        )}
      <text x={LEFT} y={HEIGHT - 6}>
        1
      </text>
      <text x={WIDTH - 12} y={HEIGHT - 6} textAnchor="end">
        {digits(values.length)}
      </text>
    </svg>
  );
}

function Bars(props: { of: IHistogram; trans: TranslationBundle }): JSX.Element {
  const { of, trans } = props;
  return (
    <>
      <Histogram of={of} width={WIDTH - 40} height={HEIGHT - 40} />
      <p className="jp-nbml-legend">
        <span className="jp-nbml-key-was" aria-hidden="true" />
        {of.now.length > 0 ? trans.__('reference') : trans.__('share of rows')}
        {of.now.length > 0 && (
          <>
            <span className="jp-nbml-key-is" aria-hidden="true" />
            {trans.__('now')}
          </>
        )}
      </p>
    </>
  );
}
