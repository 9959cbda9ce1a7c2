/** The side panel: what the project holds, in the order of urgency. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Refused } from './api';
import { Dot, Sparkline, Strip } from './drawings';
import { digits, visible } from './figures';
import { nbmlIcon } from './icon';
import { IRow, ISection, IStep, StateModel } from './model';
import { ASKED, RunList } from './runlist';
import { figureOf, IRun, RunsModel, stateOf } from './runs';

/** What the panel may ask of the application. */
export interface IPanelHost {
  /** Put a line into the notebook as a visible cell. */
  put(line: string): void;
  /** Open the detail view of a row. */
  open(row: IRow): void;
  /** Offer the row's commands at this place of the page. */
  menu(row: IRow, x: number, y: number): void;
  /** Open runs side by side. */
  compare(runs: IRun[]): void;
  readonly trans: TranslationBundle;
}

/** Rows of a section before "all". */
const FEW = 5;

export class NbmlPanel extends ReactWidget {
  constructor(
    private model: StateModel,
    private host: IPanelHost
  ) {
    super();
    this.runs = new RunsModel(model);
    this.id = 'nbml-panel';
    this.addClass('jp-nbml-panel');
    this.title.icon = nbmlIcon;
    this.title.caption = 'nbml';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'nbml');
    model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.update, this);
    this.runs.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    const { state, error, ready } = this.model;
    const { trans } = this.host;
    const empty = state.sections.every(section => section.count === 0);
    return (
      <>
        <header className="jp-nbml-head">
          <h2>nbml</h2>
          {state.project && <span title={trans.__('The project of the active notebook')}>{state.project.name}</span>}
        </header>
        {error && <Trouble error={error} trans={trans} />}
        {state.next && !empty && <Step step={state.next} host={this.host} />}
        {ready && !error && !state.project && (
          <Empty
            text={trans.__('Nothing of nbml in this notebook yet.')}
            line="%load_ext nbml"
            host={this.host}
          />
        )}
        {ready && !error && state.project && empty && (
          <Empty
            text={trans.__('This project is empty. It begins with a version of a dataframe.')}
            line="%nbml snapshot df"
            host={this.host}
          />
        )}
        {!empty && (
          <div className="jp-nbml-sections" onKeyDown={move}>
            {state.sections.map(section => (
              <Section
                key={section.kind}
                section={section}
                all={this.all.has(section.kind)}
                host={this.host}
                runs={this.runs}
                toggle={() => {
                  performance.mark(ASKED);
                  if (!this.all.delete(section.kind)) {
                    this.all.add(section.kind);
                  }
                  this.update();
                }}
              />
            ))}
          </div>
        )}
      </>
    );
  }

  /** Sections that show all their rows. */
  private all = new Set<string>();
  private runs: RunsModel;
}

function Trouble(props: { error: Refused; trans: TranslationBundle }): JSX.Element {
  const { error, trans } = props;
  return (
    <div className="jp-nbml-step" data-state="look" role="alert">
      <p>{error.message}</p>
      {error.next && (
        <p>
          <span className="jp-nbml-muted">{trans.__('Try:')}</span> <code>{error.next}</code>
        </p>
      )}
    </div>
  );
}

function Step(props: { step: IStep; host: IPanelHost }): JSX.Element {
  const { step, host } = props;
  return (
    <div className="jp-nbml-step" data-state="running">
      <p>{step.text.map((word, i) => (typeof word === 'string' ? word : <code key={i}>{word.code}</code>))}</p>
      <p className="jp-nbml-act">
        <code>{step.line.split('\n')[0]}</code>
        <button className="jp-nbml-link" onClick={() => host.put(step.line)}>
          {host.trans.__('Put the line in')}
        </button>
      </p>
    </div>
  );
}

function Empty(props: { text: string; line: string; host: IPanelHost }): JSX.Element {
  const { text, line, host } = props;
  return (
    <div className="jp-nbml-empty">
      <p>{text}</p>
      <p className="jp-nbml-act">
        <code>{line}</code>
        <button className="jp-nbml-link" onClick={() => host.put(line)}>
          {host.trans.__('Put the line in')}
        </button>
      </p>
    </div>
  );
}

interface ISectionProps {
  section: ISection;
  all: boolean;
  toggle(): void;
  host: IPanelHost;
  runs: RunsModel;
}

function Section(props: ISectionProps): JSX.Element {
  const { section, all, toggle, host, runs } = props;
  const { kind, title, count } = section;
  const listed = kind === 'run' && all;
  const rows = listed ? [] : all ? section.rows : section.rows.slice(0, FEW);
  const heading = `jp-nbml-section-${kind}`;
  return (
    <section aria-labelledby={heading} data-kind={kind} data-empty={count === 0 || undefined}>
      <h3 id={heading}>
        <span>{title}</span>
        <span className="jp-nbml-count">{digits(count)}</span>
      </h3>
      {listed && (
        <RunList
          model={runs}
          open={run => host.open(rowOf(run))}
          menu={(run, x, y) => host.menu(rowOf(run), x, y)}
          compare={those => host.compare(those)}
          trans={host.trans}
        />
      )}
      {rows.length > 0 && (
        <ul>
          {rows.map((row, i) => (
            <Row key={StateModel.key(row)} row={row} first={i === 0} host={host} />
          ))}
        </ul>
      )}
      {section.rows.length > FEW && (
        <button className="jp-nbml-all jp-nbml-link" data-nbml-stop aria-expanded={all} onClick={toggle}>
          {all ? host.trans.__('fewer') : host.trans.__('all %1', digits(count))}
        </button>
      )}
    </section>
  );
}

/** What a detail view of a run is opened by; its result is looked up then. */
function rowOf(run: IRun): IRow {
  const { name, version, started } = run;
  const ref = `${name}@${version}`;
  const line = { label: name, state: stateOf(run), figure: figureOf(run), spark: null, result: '', made: started };
  return { kind: 'run', name, version, ref, ...line };
}

const WORDS = { well: 'well', look: 'look at it', bad: 'bad', running: 'running', idle: 'idle' };

function Row(props: { row: IRow; first: boolean; host: IPanelHost }): JSX.Element {
  const { row, first, host } = props;
  const { state, spark, strip } = row;
  const [label, figure] = [visible(row.label), visible(row.figure)];
  const menu = (x: number, y: number) => host.menu(row, x, y);
  return (
    <li
      className="jp-nbml-row"
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        const box = event.currentTarget.getBoundingClientRect();
        // The menu key gives no place of its own.
        menu(event.clientX || box.left + 24, event.clientY || box.bottom);
      }}
    >
      <button
        className="jp-nbml-main"
        data-nbml-stop
        tabIndex={first ? 0 : -1}
        aria-label={[label, WORDS[state], figure].filter(Boolean).join(', ')}
        title={[label, figure].filter(Boolean).join(' · ')}
        onClick={() => host.open(row)}
      >
        <Dot state={state} />
        <span className="jp-nbml-name">{label}</span>
        {spark && <Sparkline values={spark} state={state === 'look' || state === 'bad' ? state : 'running'} />}
        {strip && strip.length > 1 && (
          <Strip of={strip} alt={host.trans.__('%1 of the last %2 passed', strip.filter(s => s === 'well').length, strip.length)} />
        )}
        <span className="jp-nbml-figure">{figure}</span>
      </button>
      <button
        className="jp-nbml-kebab"
        tabIndex={-1}
        aria-haspopup="menu"
        aria-label={host.trans.__('Commands for %1', label)}
        onClick={event => {
          const box = event.currentTarget.getBoundingClientRect();
          menu(box.left, box.bottom);
        }}
      >
        {'\u22ee'}
      </button>
    </li>
  );
}

/** Arrows, Home and End walk over all rows; right and left between a row and its commands. Enter is the button's own. */
function move(event: React.KeyboardEvent<HTMLElement>): void {
  const stops = Array.from(event.currentTarget.querySelectorAll<HTMLElement>('[data-nbml-stop]'));
  const here = document.activeElement as HTMLElement | null;
  const row = here?.closest('.jp-nbml-row') ?? null;
  const at = stops.findIndex(stop => stop === here || (row !== null && stop.parentElement === row));
  if (at < 0) {
    return;
  }
  const to: { [key: string]: HTMLElement | null | undefined } = {
    ArrowDown: stops[Math.min(at + 1, stops.length - 1)],
    ArrowUp: stops[Math.max(at - 1, 0)],
    Home: stops[0],
    End: stops[stops.length - 1],
    ArrowRight: row?.querySelector<HTMLElement>('.jp-nbml-kebab'),
    ArrowLeft: row?.querySelector<HTMLElement>('.jp-nbml-main')
  };
  const next = to[event.key];
  if (next) {
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  }
}
