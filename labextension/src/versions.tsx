/** The detail view of a dataset: its versions, how many rows each has, and any two of them held against each other. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Refused } from './api';
import { IVersion, RowCounts } from './counts';
import { Chip } from './drawings';
import { ago, digits, exactly, size, visible } from './figures';
import { HistoryView, IHistoryHost } from './history';
import { elsewhere, parse } from './mime';
import { IRow, StateModel } from './model';
import { fromRecords } from './records';

interface IHistory {
  project: string;
  name: string;
  total: number;
  versions: IVersion[];
}

export class VersionsView extends HistoryView<IHistory, IVersion> {
  constructor(
    private name: string,
    model: StateModel,
    host: IHistoryHost
  ) {
    super(model, host);
    this.begin();
  }

  protected row(model: StateModel): IRow | undefined {
    return model.rows('dataset').find(r => r.name === this.name);
  }

  protected ask(host: IHistoryHost): Promise<IHistory> {
    return host.read<IHistory>(`versions/${this.name}`);
  }

  protected entries(history: IHistory): IVersion[] {
    return history.versions;
  }

  protected again(version: IVersion): string {
    return `nbml.dataset("${version.ref}")`;
  }

  /** The last two are what is compared first. */
  protected override arrived(now: IVersion): void {
    const versions = this.found?.versions ?? [];
    this.to = now.version;
    this.from = versions[versions.length - 2]?.version ?? 0;
    super.arrived(now);
  }

  private async compare(verb: 'diff' | 'drift'): Promise<void> {
    const argv = this.argv(verb);
    const asked = this.line(verb);
    const keys = this.keys();
    const key = keys.length ? `, key=${JSON.stringify(keys.length > 1 ? keys : keys[0])}` : '';
    const call = `nbml.diff(${this.refs().map(ref => JSON.stringify(ref)).join(', ')}${key})`;
    this.busy = asked;
    this.verb = verb;
    this.trouble = '';
    this.shown = 0;
    this.put(null);
    this.top.update();
    try {
      const value = await this.host.act(argv);
      const [a, b] = this.refs();
      if (this.busy === asked) {
        const result = elsewhere(parse(value), call);
        this.put(result ?? fromRecords(value, this.host.trans.__('%1 against %2', b, a)));
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

  private keys(): string[] {
    return this.key.split(',').map(column => column.trim()).filter(Boolean);
  }

  private argv(verb: 'diff' | 'drift'): string[] {
    const [a, b] = this.refs();
    const key = this.keys().join(',');
    return verb === 'diff' ? ['diff', a, b, ...(key ? ['--key', key] : [])] : ['drift', b, '--against', a];
  }

  /** The same as it is typed in a notebook. */
  private line(verb: 'diff' | 'drift'): string {
    return `%nbml ${this.argv(verb).map(word => (/\s/.test(word) ? JSON.stringify(word) : word)).join(' ')}`;
  }

  protected draw(): JSX.Element | null {
    const { trans } = this.host;
    const history = this.found;
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
            {trans.__('running %1', this.busy)}
          </p>
        )}
      </section>
    );
  }

  private bar(): JSX.Element {
    const { trans, put } = this.host;
    const same = this.from === this.to || !this.from;
    const line = this.line(this.verb);
    /** The line beside the buttons is that of the one that is pointed at. */
    const point = (verb: 'diff' | 'drift') => {
      this.verb = verb;
      this.top.update();
    };
    const load = `nbml.dataset("${this.refs()[1]}").load()`;
    return (
      <div className="jp-nbml-acts">
        {(['diff', 'drift'] as const).map(verb => (
          <button
            key={verb}
            className={verb === 'diff' ? 'jp-nbml-button jp-nbml-primary' : 'jp-nbml-button'}
            disabled={same || !!this.busy}
            onFocus={() => point(verb)}
            onMouseEnter={() => point(verb)}
            onClick={() => void this.compare(verb)}
          >
            {verb === 'diff' ? trans.__('Compare') : trans.__('Drift')}
          </button>
        ))}
        <input
          className="jp-nbml-input jp-nbml-keys"
          aria-label={trans.__('Columns that identify a row, with commas between')}
          placeholder={trans.__('key columns')}
          value={this.key}
          onChange={event => {
            this.key = event.target.value;
            point('diff');
          }}
          onKeyDown={event => event.key === 'Enter' && !same && !this.busy && void this.compare('diff')}
        />
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

  private busy = '';
  private verb: 'diff' | 'drift' = 'diff';
  private key = '';
  private from = 0;
  private to = 0;
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
