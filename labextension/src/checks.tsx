/** The detail view of what a suite checks: how the checks went, which line fails since when, the suite, a report. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Chip, Strip } from './drawings';
import { ago, exactly, figure, visible } from './figures';
import { HistoryView, IHistoryHost } from './history';
import { State } from './mime';
import { IRow, StateModel } from './model';

interface ICheck {
  version: number;
  ref: string;
  made: number;
  data: string;
  suite: string;
  state: State;
  figure: string;
  count: number;
  failed: number;
  rows: number | null;
  result: string;
}

interface IExpected {
  text: string;
  held: (boolean | null)[];
  since: number | null;
  share: number | null;
}

interface IChecks {
  project: string;
  name: string;
  data: string;
  checks: ICheck[];
  lines: IExpected[];
  suite: { ref: string; version: number; text: string; result: string } | null;
}

export class ChecksView extends HistoryView<IChecks, ICheck> {
  constructor(
    private name: string,
    private data: string,
    model: StateModel,
    host: IHistoryHost
  ) {
    super(model, host);
    this.begin();
  }

  protected row(model: StateModel): IRow | undefined {
    return model.rows('validation').find(r => r.name === this.name && r.data === this.data);
  }

  protected ask(host: IHistoryHost): Promise<IChecks> {
    return host.read<IChecks>(`checks/${this.name}`, { data: this.data });
  }

  protected entries(found: IChecks): ICheck[] {
    return found.checks;
  }

  /** A version can be checked again; what `df` holds now may be other data. */
  protected again(check: ICheck): string | null {
    return check.data.includes('@') ? `nbml.validate(${JSON.stringify(check.data)}, ${JSON.stringify(check.suite)})` : null;
  }

  protected draw(): JSX.Element | null {
    const { found, latest } = this;
    const { trans } = this.host;
    if (!found || !latest) {
      return this.trouble ? <p className="jp-nbml-muted">{this.trouble}</p> : null;
    }
    const { checks, suite } = found;
    const bad = checks.filter(c => c.state === 'bad').length;
    const facts = [
      trans._n('%1 check', '%1 checks', checks.length),
      bad ? trans.__('%1 failed', bad) : trans.__('none failed'),
      trans.__('the last %1', ago(latest.made))
    ];
    return (
      <section aria-label={visible(`${found.name} on ${found.data}`)} data-state={latest.state}>
        <p className="jp-nbml-title">
          <Chip state={latest.state}>{latest.state === 'bad' ? trans.__('failed') : trans.__('passed')}</Chip>
          <span>
            <b>{found.name}</b>
            {found.data && trans.__(' on ')}
            {found.data && <b>{visible(found.data)}</b>}
            <span className="jp-nbml-muted">{` \u00b7 ${facts.join(' \u00b7 ')}`}</span>
          </span>
        </p>
        <Checked of={checks} shown={this.shown} show={check => void this.report(check)} trans={trans} />
        <Expected of={found} trans={trans} />
        {suite && this.written(suite)}
      </section>
    );
  }

  private written(suite: NonNullable<IChecks['suite']>): JSX.Element {
    const { trans, put, open } = this.host;
    const cell = `%%nbml expect ${this.name}\n${suite.text.replace(/^\n+|\n+$/g, '')}`;
    return (
      <details>
        <summary>{trans.__('the suite %1', suite.ref)}</summary>
        <pre className="jp-nbml-code" tabIndex={0} aria-label={trans.__('Code')}>
          <code>{visible(suite.text.replace(/^\n+|\n+$/g, ''))}</code>
        </pre>
        <div className="jp-nbml-acts">
          <button
            className="jp-nbml-link"
            onClick={() => open({ kind: 'suite', name: this.name, ref: suite.ref, label: suite.ref, result: suite.result })}
          >
            {trans.__('Open the suite')}
          </button>
          {put && (
            <button className="jp-nbml-link" onClick={() => put(cell)}>
              {trans.__('Put it in as a cell')}
            </button>
          )}
        </div>
      </details>
    );
  }
}

interface ICheckedProps {
  of: ICheck[];
  shown: number;
  show(check: ICheck): void;
  trans: TranslationBundle;
}

/** One box a check, oldest first; left and right walk over them, and the report of the chosen one is below. */
function Checked(props: ICheckedProps): JSX.Element {
  const { of, shown, show, trans } = props;
  const walk = (event: React.KeyboardEvent) => {
    const at = of.findIndex(c => c.version === shown);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: of.length - 1 }[event.key];
    if (to === undefined || !of[to]) {
      return;
    }
    event.preventDefault();
    show(of[to]);
    (event.currentTarget.children[to] as HTMLElement | undefined)?.focus();
  };
  const told = (c: ICheck) => visible([c.data, c.figure, exactly(c.made)].filter(Boolean).join(' \u00b7 '));
  const one = of.find(c => c.version === shown);
  return (
    <>
      <div className="jp-nbml-checks" role="group" aria-label={trans.__('Checks, oldest first')} onKeyDown={walk}>
        {of.map(c => (
          <button
            key={c.version}
            data-state={c.state}
            aria-pressed={c.version === shown}
            tabIndex={c.version === shown ? 0 : -1}
            aria-label={told(c)}
            title={told(c)}
            onClick={() => show(c)}
          />
        ))}
      </div>
      {one && (
        <p className="jp-nbml-muted" role="status">
          {visible([trans.__('check %1', one.version), one.data, one.figure, ago(one.made)].filter(Boolean).join(' \u00b7 '))}
        </p>
      )}
    </>
  );
}

/** Each line of the suite through the checks. */
function Expected(props: { of: IChecks; trans: TranslationBundle }): JSX.Element {
  const { of, trans } = props;
  const { checks, lines } = of;
  return (
    <div className="jp-nbml-scroll" tabIndex={0} role="region" aria-label={trans.__('Expectations')}>
      <table className="jp-nbml-versions">
        <thead>
          <tr>
            <th scope="col">{trans.__('expectation')}</th>
            <th scope="col">{trans.__('checks')}</th>
            <th scope="col">{trans.__('now')}</th>
            <th scope="col">{trans.__('fails since')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, i) => (
            <tr key={i}>
              <td title={visible(line.text)}>
                <code>{visible(line.text)}</code>
              </td>
              <td>
                <Strip of={line.held.map(boxed)} alt={history(line, trans)} />
              </td>
              <td>{now(line, trans)}</td>
              <td>{line.since === null ? '' : since(checks[line.since], trans)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function boxed(held: boolean | null): State | null {
  return held === null ? null : held ? 'well' : 'bad';
}

function history(line: IExpected, trans: TranslationBundle): string {
  const asked = line.held.filter(h => h !== null);
  return trans.__('held in %1 of %2 checks', asked.filter(Boolean).length, asked.length);
}

function now(line: IExpected, trans: TranslationBundle): JSX.Element {
  const last = line.held[line.held.length - 1];
  if (last === null) {
    return <span className="jp-nbml-muted">{trans.__('not asked')}</span>;
  }
  if (last) {
    return <span className="jp-nbml-muted">{trans.__('holds')}</span>;
  }
  return (
    <>
      <Chip state="bad">{trans.__('fails')}</Chip> {line.share ? figure(line.share, 'percent') : ''}
    </>
  );
}

function since(check: ICheck, trans: TranslationBundle): JSX.Element {
  return (
    <span title={exactly(check.made)}>
      {check.data.includes('@') ? visible(check.data) : trans.__('check %1', check.version)}
      <span className="jp-nbml-muted">{` \u00b7 ${ago(check.made)}`}</span>
    </span>
  );
}
