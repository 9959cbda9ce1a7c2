/** The detail view of a dataset: its versions, how many rows each has, and any two of them held against each other. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel, Widget } from '@lumino/widgets';
import * as React from 'react';
import { Refused } from './api';
import { Chip, curve, scale } from './drawings';
import { ago, digits, exactly, size, visible } from './figures';
import { IResult, parse } from './mime';
import { StateModel } from './model';
import { fromRecords } from './records';
import { IHost, ResultView } from './result';

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

interface IHistory {
  name: string;
  total: number;
  versions: IVersion[];
}

export interface IHistoryHost extends IHost {
  /** Run a command without a kernel; its value. */
  act(argv: string[]): Promise<unknown>;
  /** Something of the record below `nbml/api/v1`. */
  read<T>(path: string, query?: { [name: string]: string }): Promise<T>;
  /** Open the detail view of something. */
  open(detail: { kind: string; name: string; ref: string; label: string; result: string }): void;
}

export class VersionsView extends Panel {
  constructor(
    private name: string,
    private model: StateModel,
    private host: IHistoryHost
  ) {
    super();
    this.addClass('jp-nbml-history');
    this.top = new Top(() => this.draw());
    this.addWidget(this.top);
    model.changed.connect(this.onChanged, this);
    void this.load();
  }

  override dispose(): void {
    this.model.changed.disconnect(this.onChanged, this);
    super.dispose();
  }

  /** Only where the row says that there is a version more. */
  private onChanged(): void {
    const row = this.model.rows('dataset').find(r => r.name === this.name);
    if (row && row.version !== this.latest?.version) {
      void this.load();
    }
  }

  private get latest(): IVersion | undefined {
    const versions = this.history?.versions;
    return versions?.[versions.length - 1];
  }

  private async load(): Promise<void> {
    let trouble = '';
    const before = this.latest;
    try {
      this.history = await this.host.read<IHistory>(`versions/${this.name}`);
    } catch (error) {
      trouble = (error as Error).message;
    }
    if (this.isDisposed) {
      return;
    }
    this.trouble = this.history ? '' : trouble;
    const now = this.latest;
    if (now && now.version !== before?.version) {
      const versions = this.history?.versions ?? [];
      this.to = now.version;
      this.from = versions[versions.length - 2]?.version ?? 0;
      void this.report(now);
    }
    this.top.update();
  }

  private async report(version: IVersion): Promise<void> {
    this.shown = version.version;
    this.top.update();
    const stored = version.result ? await this.host.load(version.result).catch(() => null) : null;
    if (this.shown === version.version) {
      this.put(parse(stored));
    }
  }

  /** What stands below the table. */
  private put(result: IResult | null): void {
    this.below?.dispose();
    this.below = null;
    if (result && !this.isDisposed) {
      this.below = new ResultView(result, this.host);
      this.addWidget(this.below);
    }
  }

  private async compare(verb: 'diff' | 'drift'): Promise<void> {
    const argv = this.argv(verb);
    const asked = argv.join(' ');
    this.busy = asked;
    this.trouble = '';
    this.shown = 0;
    this.put(null);
    this.top.update();
    try {
      const value = await this.host.act(argv);
      const [a, b] = this.refs();
      if (this.busy === asked) {
        this.put(parse(value) ?? fromRecords(value, this.host.trans.__('%1 against %2', b, a)));
      }
    } catch (error) {
      const next = error instanceof Refused && error.next ? ` \u00b7 ${error.next}` : '';
      this.trouble = this.busy === asked ? (error as Error).message + next : this.trouble;
    }
    this.busy = this.busy === asked ? '' : this.busy;
    this.top.update();
  }

  private refs(): [string, string] {
    return [`${this.name}@${this.from}`, `${this.name}@${this.to}`];
  }

  private argv(verb: 'diff' | 'drift'): string[] {
    const [a, b] = this.refs();
    return verb === 'diff' ? ['diff', a, b] : ['drift', b, '--against', a];
  }

  private draw(): JSX.Element | null {
    const { trans } = this.host;
    const { history } = this;
    if (!history) {
      return this.trouble ? <p className="jp-nbml-muted">{this.trouble}</p> : null;
    }
    const { versions, total } = history;
    const now = versions[versions.length - 1];
    const warned = versions.filter(v => v.warnings.length > 0).length;
    const facts = [trans._n('%1 version', '%1 versions', total)];
    facts.push(warned ? trans.__('%1 with warnings', warned) : trans.__('none with a warning'));
    return (
      <section aria-label={history.name}>
        <p className="jp-nbml-title">
          <Chip state={now.warnings.length ? 'look' : 'well'}>{now.warnings.length ? trans.__('look') : trans.__('well')}</Chip>
          <span>
            <b>{history.name}</b>
            <span className="jp-nbml-muted">{` \u00b7 ${facts.join(' \u00b7 ')}`}</span>
          </span>
        </p>
        {versions.length > 1 && <RowCounts of={versions} shown={this.shown} trans={trans} />}
        {versions.length > 1 ? this.bar() : <p className="jp-nbml-muted">{trans.__('With a second version, the two can be compared.')}</p>}
        <Versions
          of={versions}
          shown={this.shown}
          from={this.from}
          to={this.to}
          pick={(end, version) => {
            this[end] = version;
            this.top.update();
          }}
          show={version => void this.report(version)}
          trans={trans}
        />
        {this.trouble && (
          <p className="jp-nbml-problem" role="alert">
            {visible(this.trouble)}
          </p>
        )}
        {this.busy && (
          <p className="jp-nbml-muted" role="status">
            {trans.__('running %1', `%nbml ${this.busy}`)}
          </p>
        )}
      </section>
    );
  }

  private bar(): JSX.Element {
    const { trans, put } = this.host;
    const same = this.from === this.to || !this.from;
    const line = `%nbml ${this.argv('diff').join(' ')}`;
    const load = `nbml.dataset("${this.refs()[1]}").load()`;
    return (
      <div className="jp-nbml-acts">
        <button className="jp-nbml-button jp-nbml-primary" disabled={same || !!this.busy} title={line} onClick={() => void this.compare('diff')}>
          {trans.__('Compare')}
        </button>
        <button
          className="jp-nbml-button"
          disabled={same || !!this.busy}
          title={`%nbml ${this.argv('drift').join(' ')}`}
          onClick={() => void this.compare('drift')}
        >
          {trans.__('Drift')}
        </button>
        <code>{line}</code>
        {put && (
          <>
            <button className="jp-nbml-link" title={line} onClick={() => put(line)}>
              {trans.__('Put the line in')}
            </button>
            <button className="jp-nbml-link" title={load} onClick={() => put(load)}>
              {trans.__('Load %1', this.refs()[1])}
            </button>
          </>
        )}
      </div>
    );
  }

  private top: Top;
  private below: Widget | null = null;
  private history: IHistory | null = null;
  private trouble = '';
  private busy = '';
  private from = 0;
  private to = 0;
  /** The version whose report is below; 0 where it is a comparison. */
  private shown = 0;
}

class Top extends ReactWidget {
  constructor(private draw: () => JSX.Element | null) {
    super();
    this.addClass('jp-nbml-result');
  }

  protected render(): JSX.Element | null {
    return this.draw();
  }
}

interface IVersionsProps {
  of: IVersion[];
  shown: number;
  from: number;
  to: number;
  pick(end: 'from' | 'to', version: number): void;
  show(version: IVersion): void;
  trans: TranslationBundle;
}

/** Newest first; two of them are picked as in the history of a page. */
function Versions(props: IVersionsProps): JSX.Element {
  const { of, shown, from, to, pick, show, trans } = props;
  const both = of.length > 1;
  const radio = (end: 'from' | 'to', v: IVersion) => (
    <td className="jp-nbml-pick">
      <input
        type="radio"
        name={`jp-nbml-${end}-${of[0].ref}`}
        checked={(end === 'from' ? from : to) === v.version}
        aria-label={end === 'from' ? trans.__('Compare from %1', v.ref) : trans.__('Compare to %1', v.ref)}
        onChange={() => pick(end, v.version)}
      />
    </td>
  );
  return (
    <div className="jp-nbml-scroll" tabIndex={0} role="region" aria-label={trans.__('Versions')}>
      <table className="jp-nbml-versions">
        <thead>
          <tr>
            {both && <th scope="col">{trans.__('from')}</th>}
            {both && <th scope="col">{trans.__('to')}</th>}
            <th scope="col">{trans.__('version')}</th>
            <th scope="col">{trans.__('made')}</th>
            <th scope="col" data-right>
              {trans.__('rows')}
            </th>
            <th scope="col" data-right>
              {trans.__('columns')}
            </th>
            <th scope="col" data-right>
              {trans.__('size')}
            </th>
            <th scope="col">{trans.__('warnings')}</th>
            <th scope="col">{trans.__('note')}</th>
          </tr>
        </thead>
        <tbody>
          {[...of].reverse().map(v => (
            <tr key={v.version} data-shown={v.version === shown || undefined}>
              {both && radio('from', v)}
              {both && radio('to', v)}
              <td>
                <button className="jp-nbml-link" aria-pressed={v.version === shown} onClick={() => show(v)}>
                  {`@${v.version}`}
                </button>
              </td>
              <td title={exactly(v.made)}>{ago(v.made)}</td>
              <td data-right>{v.rows === null ? '' : digits(v.rows)}</td>
              <td data-right>{v.columns === null ? '' : digits(v.columns)}</td>
              <td data-right>{v.bytes === null ? '' : size(v.bytes)}</td>
              <td title={visible(v.warnings.map(w => w.message).join('\n'))}>
                <Warned of={v} />
              </td>
              <td className="jp-nbml-note" title={visible(v.note)}>
                {visible(v.note)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Each code once, with how often it is there. */
function Warned(props: { of: IVersion }): JSX.Element {
  const codes = new Map<string, number>();
  props.of.warnings.forEach(w => codes.set(w.code, (codes.get(w.code) ?? 0) + 1));
  return (
    <span className="jp-nbml-chips">
      {[...codes].map(([code, times]) => (
        <Chip key={code} state="look">
          {times > 1 ? `${visible(code)} \u00d7 ${times}` : visible(code)}
        </Chip>
      ))}
    </span>
  );
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 132, 64, 16, 12, 24];

/** Rows by version, from nothing up, so that a loss is as large as it is; warned versions are marked and named. */
function RowCounts(props: { of: IVersion[]; shown: number; trans: TranslationBundle }): JSX.Element | null {
  const { of, shown, trans } = props;
  const counts = of.map(v => v.rows);
  const most = counts.reduce<number>((m, n) => Math.max(m, n ?? 0), 0);
  if (most === 0) {
    return null;
  }
  const x = (i: number) => LEFT + (i * (WIDTH - LEFT - RIGHT)) / (of.length - 1);
  const y = scale(0, most, TOP, HEIGHT - BOTTOM);
  const warned = of.filter(v => v.warnings.length > 0).map(v => v.ref);
  const said = trans.__('Rows by version, from %1 to %2', digits(counts[0] ?? 0), digits(counts[counts.length - 1] ?? 0));
  const alt = warned.length ? trans.__('%1; warnings at %2', said, warned.join(', ')) : said;
  return (
    <svg className="jp-nbml-axes" data-state="running" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={alt}>
      {[most, 0].map(v => (
        <React.Fragment key={v}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(v)} y2={y(v)} />
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
