/** The list of all runs in the panel: only the lines that are seen are drawn. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Dot } from './drawings';
import { digits, visible } from './figures';
import { figureOf, found, Group, GROUPS, IRun, Item, laidOut, RunsModel, stateOf } from './runs';

/** Height of a line; lines drawn above and below what is seen. */
const [LINE, BEYOND] = [28, 12];
/** Marks for whoever measures: the list was asked for, its first line is there, and all runs are. */
export const ASKED = 'nbml-runs-asked';
const [DRAWN, WHOLE] = ['nbml-runs-drawn', 'nbml-runs-whole'];

export interface IRunListProps {
  model: RunsModel;
  open(run: IRun): void;
  menu(run: IRun, x: number, y: number): void;
  compare(runs: IRun[]): void;
  trans: TranslationBundle;
}

export function RunList(props: IRunListProps): JSX.Element {
  const { model, open, menu, compare, trans } = props;
  const [, redraw] = React.useReducer((n: number) => n + 1, 0);
  const [text, search] = React.useState('');
  const [by, group] = React.useState<Group>('none');
  const [closed, close] = React.useState<ReadonlySet<string>>(new Set());
  const [chosen, choose] = React.useState<ReadonlySet<string>>(new Set());
  React.useEffect(() => {
    model.changed.connect(redraw);
    model.open();
    return () => {
      model.changed.disconnect(redraw);
      model.close();
    };
  }, [model]);
  const runs = model.runs;
  const those = React.useMemo(() => found(runs, text), [runs, text]);
  const items = React.useMemo(() => laidOut(those, by, closed), [those, by, closed]);
  React.useEffect(() => {
    performance.mark(runs.length > 0 && runs[0].thing >= 0 ? WHOLE : DRAWN);
  }, [runs]);
  const selected = runs.filter(run => run.uid && chosen.has(run.uid));
  const words: { [by in Group]: string } = {
    none: trans.__('no groups'), name: trans.__('by name'), state: trans.__('by state'), tag: trans.__('by tag'), day: trans.__('by day')
  };
  return (
    <div className="jp-nbml-runs">
      <div className="jp-nbml-runs-bar">
        <input
          type="search"
          className="jp-nbml-input"
          placeholder={trans.__('Search, or auc>0.8')}
          aria-label={trans.__('Search runs')}
          value={text}
          onChange={event => search(event.target.value)}
        />
        <select
          className="jp-nbml-input"
          aria-label={trans.__('Group runs')}
          value={by}
          onChange={event => group(event.target.value as Group)}
        >
          {GROUPS.map(one => (
            <option key={one} value={one}>
              {words[one]}
            </option>
          ))}
        </select>
      </div>
      <p className="jp-nbml-runs-said" role="status">
        <span>
          {text.trim()
            ? trans.__('%1 of %2 runs', digits(those.length), digits(runs.length))
            : trans.__('%1 runs', digits(runs.length))}
        </span>
        {selected.length > 0 && (
          <button className="jp-nbml-quiet" onClick={() => choose(new Set())}>
            {trans.__('%1 chosen, none', digits(selected.length))}
          </button>
        )}
        {selected.length > 1 && (
          <button className="jp-nbml-link jp-nbml-compare" onClick={() => compare(selected)}>
            {trans.__('Compare %1', digits(selected.length))}
          </button>
        )}
      </p>
      {model.trouble && <p className="jp-nbml-runs-said">{visible(model.trouble)}</p>}
      <Lines
        of={items}
        chosen={chosen}
        toggle={head => close(flipped(closed, head))}
        choose={uid => choose(flipped(chosen, uid))}
        open={open}
        menu={menu}
        trans={trans}
      />
    </div>
  );
}

function flipped(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  const now = new Set(set);
  if (!now.delete(one)) {
    now.add(one);
  }
  return now;
}

interface ILinesProps {
  of: Item[];
  chosen: ReadonlySet<string>;
  toggle(head: string): void;
  choose(uid: string): void;
  open(run: IRun): void;
  menu(run: IRun, x: number, y: number): void;
  trans: TranslationBundle;
}

/** Arrows, pages, Home and End walk over all lines, drawn or not; the blank chooses. */
function Lines(props: ILinesProps): JSX.Element {
  const { of, chosen, toggle, choose, open, menu, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [top, scroll] = React.useState(0);
  const [at, go] = React.useState(0);
  const [focus, take] = React.useState(false);
  const height = box.current?.clientHeight ?? 360;
  const first = Math.max(0, Math.floor(top / LINE) - BEYOND);
  const last = Math.min(of.length, Math.ceil((top + height) / LINE) + BEYOND);
  const here = Math.min(at, of.length - 1);
  React.useEffect(() => {
    if (focus) {
      box.current?.querySelector<HTMLElement>(`[data-at="${here}"] .jp-nbml-main`)?.focus({ preventScroll: true });
    }
  }, [here, focus, first]);
  const walk = (event: React.KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / LINE) - 1);
    const to: { [key: string]: number } = {
      ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: of.length - 1
    };
    const next = to[event.key];
    const item = of[here];
    if (next !== undefined) {
      const place = Math.max(0, Math.min(of.length - 1, next));
      const element = box.current;
      if (element) {
        element.scrollTop = Math.min(place * LINE, Math.max(element.scrollTop, (place + 1) * LINE - height));
      }
      go(place);
      take(true);
    } else if (event.key === ' ' && item && 'run' in item && item.run.uid) {
      choose(item.run.uid);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={box}
      className="jp-nbml-lines"
      role="list"
      aria-label={trans.__('Runs')}
      style={{ height: Math.min(of.length, 40) * LINE }}
      onScroll={event => scroll(event.currentTarget.scrollTop)}
      onKeyDown={walk}
      onBlur={() => take(false)}
    >
      <div style={{ height: of.length * LINE }}>
        <div style={{ transform: `translateY(${first * LINE}px)` }}>
          {of.slice(first, last).map((item, i) => {
            const place = first + i;
            const more = { 'data-at': place, 'aria-setsize': of.length, 'aria-posinset': place + 1, role: 'listitem' };
            return 'head' in item ? (
              <div key={`head ${item.head}`} className="jp-nbml-group" {...more}>
                <button
                  className="jp-nbml-main"
                  tabIndex={place === here ? 0 : -1}
                  aria-expanded={item.open}
                  onClick={() => toggle(item.head)}
                >
                  <span aria-hidden="true">{item.open ? '\u25be' : '\u25b8'}</span>
                  <span className="jp-nbml-name">{visible(item.head)}</span>
                  <span className="jp-nbml-figure">{digits(item.count)}</span>
                </button>
              </div>
            ) : (
              <div key={`${place} ${item.run.thing}`} className="jp-nbml-row jp-nbml-run" {...more}>
                <Line
                  run={item.run}
                  stop={place === here}
                  chosen={chosen.has(item.run.uid)}
                  choose={choose}
                  open={open}
                  menu={menu}
                  trans={trans}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface ILineProps {
  run: IRun;
  stop: boolean;
  chosen: boolean;
  choose(uid: string): void;
  open(run: IRun): void;
  menu(run: IRun, x: number, y: number): void;
  trans: TranslationBundle;
}

function Line(props: ILineProps): JSX.Element {
  const { run, stop, chosen, choose, open, menu, trans } = props;
  const [name, figure] = [visible(`${run.name}@${run.version}`), visible(figureOf(run))];
  return (
    <>
      <input
        type="checkbox"
        tabIndex={-1}
        checked={chosen}
        disabled={!run.uid}
        aria-label={trans.__('Choose %1', name)}
        onChange={() => choose(run.uid)}
      />
      <button
        className="jp-nbml-main"
        tabIndex={stop ? 0 : -1}
        aria-label={[name, run.state, figure].filter(Boolean).join(', ')}
        title={[name, figure, run.tags.map(visible).join(', ')].filter(Boolean).join(' · ').slice(0, 300)}
        onClick={() => open(run)}
        onContextMenu={event => {
          event.preventDefault();
          event.stopPropagation();
          const box = event.currentTarget.getBoundingClientRect();
          menu(run, event.clientX || box.left + 24, event.clientY || box.bottom);
        }}
      >
        <Dot state={stateOf(run)} />
        <span className="jp-nbml-name">
          <span>{visible(run.name)}</span>
          <span className="jp-nbml-muted">{`@${run.version}`}</span>
        </span>
        <span className="jp-nbml-figure">{figure.slice(0, 120)}</span>
      </button>
    </>
  );
}
