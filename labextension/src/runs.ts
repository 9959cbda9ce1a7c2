/** All runs of the project, as the panel lists them: read once, then only what is new; found, grouped and laid out here. */

import { ISignal, Signal } from '@lumino/signaling';
import { digits } from './figures';
import { State } from './mime';
import { IRow, StateModel } from './model';

export interface IRun {
  thing: number;
  uid: string;
  name: string;
  version: number;
  state: string;
  started: number;
  tags: string[];
  /** How many, and their codes with blanks between. */
  findings: number;
  codes: string;
  metrics: { readonly [name: string]: number | string };
}

interface IReply {
  project: string;
  serial: string;
  whole: boolean;
  rows: unknown[];
  gone?: number[];
}

export const GROUPS = ['none', 'name', 'state', 'tag', 'day'] as const;
export type Group = (typeof GROUPS)[number];

/** What stands in a line of the list: a run, or the head of a group. */
export type Item = { head: string; count: number; open: boolean } | { run: IRun };

/** What is typed beside words: a metric and a bound. */
const BOUND = /^(.+?)(>=|<=|>|<|=)([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;

export class RunsModel {
  constructor(private model: StateModel) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Read, and go on reading whenever the project changes, as long as somebody looks. */
  open(): void {
    this.model.changed.connect(this.refresh, this);
    void this.refresh();
  }

  close(): void {
    this.model.changed.disconnect(this.refresh, this);
  }

  dispose(): void {
    this.close();
    Signal.clearData(this);
  }

  /** Newest first. Until the first answer those that the panel has are there. */
  get runs(): IRun[] {
    return this.read ?? this.model.rows('run').map(ofRow);
  }

  private async refresh(): Promise<void> {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    do {
      this.again = false;
      const { where, state } = this.model;
      const since = state.project?.id === this.project && this.serial ? { since: this.serial } : undefined;
      try {
        this.take(await this.model.api.get<IReply>('runs', where, since));
        this.trouble = '';
      } catch (error) {
        this.trouble = (error as Error).message;
      }
      this._changed.emit();
    } while (this.again);
    this.asking = false;
  }

  private take(reply: IReply): void {
    const rows = reply.rows.flatMap(row => ofReply(row) ?? []);
    if (reply.whole || reply.project !== this.project || !this.read) {
      this.read = rows;
    } else if (rows.length > 0 || reply.gone?.length) {
      const kept = new Map(this.read.map(run => [run.thing, run]));
      rows.forEach(run => kept.set(run.thing, run));
      reply.gone?.forEach(thing => kept.delete(thing));
      this.read = [...kept.values()].sort((a, b) => b.thing - a.thing);
    }
    this.project = reply.project;
    this.serial = reply.serial;
  }

  trouble = '';
  private read: IRun[] | null = null;
  private project = '';
  private serial = '';
  private asking = false;
  private again = false;
  private _changed = new Signal<this, void>(this);
}

/** null for what is no run. */
function ofReply(row: unknown): IRun | null {
  if (!Array.isArray(row) || typeof row[0] !== 'number' || typeof row[1] !== 'string' || typeof row[2] !== 'string') {
    return null;
  }
  const [thing, uid, name, version, state, started, , tags, findings, codes, metrics] = row as unknown[];
  return {
    thing: thing as number,
    uid: uid as string,
    name: name as string,
    version: Number(version),
    state: String(state),
    started: Number(started),
    tags: Array.isArray(tags) ? tags.map(String) : [],
    findings: Number(findings) || 0,
    codes: typeof codes === 'string' ? codes : '',
    metrics: typeof metrics === 'object' && metrics !== null ? (metrics as IRun['metrics']) : {}
  };
}

/** A line of the panel, for the moment until the whole list is there. */
function ofRow(row: IRow, place: number): IRun {
  const states: { [state: string]: string } = { running: 'running', bad: 'failed', look: 'finished', well: 'finished' };
  const [, metric, value] = /^(\S+) ([-\d.eE+]+)/.exec(row.figure) ?? [];
  const { name, version, made: started } = row;
  const metrics = metric ? { [metric]: Number(value) } : {};
  return { thing: -1 - place, uid: '', name, version, state: states[row.state], started, tags: [], findings: 0, codes: '', metrics };
}

export function stateOf(run: IRun): State {
  const states: { [state: string]: State } = { running: 'running', failed: 'bad', interrupted: 'look' };
  return states[run.state] ?? (run.findings > 0 ? 'look' : 'well');
}

/** The figure at the end of a line: its first metric, and what is to be known of it. */
export function figureOf(run: IRun): string {
  const [first] = Object.entries(run.metrics);
  const codes = run.codes.split(' ').filter(Boolean);
  const ended = run.state === 'finished' || run.state === 'running' ? '' : run.state;
  const found = codes.length > 1 ? `${codes[0]} +${codes.length - 1}` : codes[0];
  const value = first && (typeof first[1] === 'number' ? digits(first[1]) : first[1]);
  // where more is to be said, the figure goes without its name: the line is short
  return [first && (ended || found ? value : `${first[0]} ${value}`), ended, found].filter(Boolean).join(' · ');
}

/** Those that hold every word: of name, id, state, tags, findings and metrics' names; `auc>0.8` compares. */
export function found(runs: IRun[], text: string): IRun[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = words.map(word => bound(word) ?? ((run: IRun) => hay(run).includes(word)));
  return tests.length === 0 ? runs : runs.filter(run => tests.every(test => test(run)));
}

const hays = new WeakMap<IRun, string>();

function hay(run: IRun): string {
  let text = hays.get(run);
  if (text === undefined) {
    text = [`${run.name}@${run.version}`, run.uid, run.state, ...run.tags, run.codes, ...Object.keys(run.metrics)].join(' ').toLowerCase();
    hays.set(run, text);
  }
  return text;
}

function bound(word: string): ((run: IRun) => boolean) | null {
  const [, name, sign, number] = BOUND.exec(word) ?? [];
  if (!sign) {
    return null;
  }
  const limit = Number(number);
  const holds: { [sign: string]: (v: number) => boolean } = {
    '>': v => v > limit, '<': v => v < limit, '>=': v => v >= limit, '<=': v => v <= limit, '=': v => v === limit
  };
  return run => Object.entries(run.metrics).some(([metric, v]) => metric.toLowerCase() === name && holds[sign](Number(v)));
}

/** The lines of the list. A run with several tags stands under each. */
export function laidOut(runs: IRun[], by: Group, closed: ReadonlySet<string>): Item[] {
  if (by === 'none') {
    return runs.map(run => ({ run }));
  }
  const groups = new Map<string, IRun[]>();
  for (const run of runs) {
    for (const head of headsOf(run, by)) {
      const there = groups.get(head);
      there ? there.push(run) : groups.set(head, [run]);
    }
  }
  return [...groups].flatMap<Item>(([head, of]) => {
    const open = !closed.has(head);
    return [{ head, count: of.length, open }, ...(open ? of.map(run => ({ run })) : [])];
  });
}

function headsOf(run: IRun, by: Group): string[] {
  switch (by) {
    case 'tag':
      return run.tags.length > 0 ? run.tags : ['no tag'];
    case 'day':
      return [day(run.started)];
    case 'state':
      return [run.findings > 0 && run.state === 'finished' ? 'finished, with findings' : run.state];
    default:
      return [run.name];
  }
}

const days = new Map<number, string>();
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'short', year: 'numeric', month: 'short', day: 'numeric' });

/** Formatting a date takes longer than all the rest; zones of time differ by quarters of an hour. */
function day(when: number): string {
  const quarter = Math.floor(when / 900);
  let text = days.get(quarter);
  if (text === undefined) {
    text = Number.isFinite(when) ? DAY.format(when * 1000) : '';
    days.set(quarter, text);
  }
  return text;
}
