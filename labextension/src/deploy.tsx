/** The Deploy form: what, where, what to beware of, the line it stands for; then progress, endpoint, a try-it form. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { Refused } from './api';
import { ago, digits, size } from './figures';
import { IRow, IService, StateModel } from './model';
import { IReply, TryForm } from './tryit';

/** What the form may ask of the application. */
export interface IDeployHost {
  /** Run a command in the project's own Python. */
  act(argv: string[]): Promise<unknown>;
  /** Put a cell into the notebook and run it; true where it ended well. */
  run(line: string): Promise<boolean>;
  ask(name: string, body: unknown): Promise<IReply>;
  copyToken(name: string): Promise<void>;
  readonly trans: TranslationBundle;
}

type Choice = { kind: 'service'; service: IService } | { kind: 'model'; name: string; type: string };
type Phase = 'choose' | 'working' | 'done' | 'failed';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Opens the form over the page; closed by Escape, by its buttons, or by itself with the page. */
export class DeployForm extends ReactWidget {
  constructor(
    private model: StateModel,
    private host: IDeployHost,
    wanted: string | null
  ) {
    super();
    this.addClass('jp-nbml-layer');
    this.choices = choices(model);
    this.picked = Math.max(0, this.choices.findIndex(c => c.kind === 'service' && c.service.ref === wanted));
    this.name = this.suggestion();
    this.before = document.activeElement;
    model.changed.connect(this.onChanged, this);
  }

  /** Show it; the focus comes back to where it was when it is closed. */
  open(): void {
    Widget.attach(this, document.body);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.model.changed.disconnect(this.onChanged, this);
    super.dispose();
    if (this.before instanceof HTMLElement) {
      this.before.focus();
    }
  }

  protected render(): JSX.Element {
    const { trans } = this.host;
    return (
      <dialog
        className="jp-nbml-dialog"
        aria-labelledby="jp-nbml-deploy-title"
        ref={node => {
          if (node && !node.open) {
            node.showModal();
          }
        }}
        onKeyDown={event => event.stopPropagation()}
        onCancel={event => {
          event.preventDefault();
          this.dispose();
        }}
      >
        <h2 id="jp-nbml-deploy-title">{this.heading()}</h2>
        {this.choices.length === 0 ? <Nothing trans={trans} /> : this.body()}
        <footer>{this.buttons()}</footer>
      </dialog>
    );
  }

  private heading(): string {
    const { trans } = this.host;
    switch (this.phase) {
      case 'done':
        return trans.__('%1 is running', this.running()?.label ?? this.name);
      case 'working':
        return trans.__('Deploying %1', this.what());
      default:
        return trans.__('Deploy');
    }
  }

  private body(): JSX.Element {
    const { trans } = this.host;
    switch (this.phase) {
      case 'choose':
        return this.form();
      case 'working':
        return (
          <div className="jp-nbml-body" role="status">
            <p className="jp-nbml-progress">
              <progress aria-label={this.doing} />
              <span>
                {this.doing} <span className="jp-nbml-muted">· {trans.__('%1 s', this.seconds)}</span>
              </span>
            </p>
            <Line line={this.line()} />
          </div>
        );
      case 'failed':
        return (
          <div className="jp-nbml-body">
            <Risk state="bad">{this.problem}</Risk>
            <Line line={this.line()} />
          </div>
        );
      case 'done': {
        const row = this.running();
        return (
          <div className="jp-nbml-body">
            <TryForm
              name={this.name}
              url={row?.url ?? ''}
              sample={this.sample()}
              ask={body => this.host.ask(this.name, body)}
              copyToken={row?.token ? () => this.host.copyToken(this.name) : null}
              trans={trans}
            />
          </div>
        );
      }
    }
  }

  private form(): JSX.Element {
    const { trans } = this.host;
    const choice = this.choices[this.picked];
    const instead = this.running();
    return (
      <div className="jp-nbml-body">
        <div className="jp-nbml-fields">
          <label htmlFor="jp-nbml-what">{trans.__('What')}</label>
          <select
            id="jp-nbml-what"
            className="jp-nbml-input"
            autoFocus
            value={this.picked}
            onChange={event => {
              this.picked = Number(event.target.value);
              this.name = this.suggestion();
              this.update();
            }}
          >
            {this.choices.map((c, i) => (
              <option key={i} value={i}>
                {describe(c, trans)}
              </option>
            ))}
          </select>
          {choice.kind === 'model' && (
            <>
              <label htmlFor="jp-nbml-name">{trans.__('Name')}</label>
              <input
                id="jp-nbml-name"
                className="jp-nbml-input"
                value={this.name}
                aria-invalid={!NAME.test(this.name) || undefined}
                onChange={event => {
                  this.name = event.target.value;
                  this.update();
                }}
              />
            </>
          )}
          <label htmlFor="jp-nbml-where">{trans.__('Where')}</label>
          <select id="jp-nbml-where" className="jp-nbml-input" defaultValue="local">
            <option value="local">{trans.__('This machine (local)')}</option>
          </select>
          {instead && (
            <>
              <span className="jp-nbml-muted">{trans.__('Instead of')}</span>
              <span className="jp-nbml-fixed">{trans.__('%1, running', instead.label)}</span>
            </>
          )}
        </div>
        {!NAME.test(this.name) && (
          <Risk state="bad">{trans.__('A name has lower-case letters, digits, dots and dashes, at most 63.')}</Risk>
        )}
        {risks(choice, trans).map((risk, i) => (
          <Risk key={i} state="look">
            {risk}
          </Risk>
        ))}
        {this.planned && <Plan choice={choice} trans={trans} />}
        <Line line={this.line()} />
        <p className="jp-nbml-muted jp-nbml-small">
          {choice.kind === 'model'
            ? trans.__('This cell is added to the notebook and run.')
            : trans.__("Runs in the project's own Python; no kernel is needed.")}
        </p>
      </div>
    );
  }

  private buttons(): JSX.Element {
    const { trans } = this.host;
    const close = (label: string, primary = false) => (
      <button className={`jp-nbml-button${primary ? ' jp-nbml-primary' : ''}`} onClick={() => this.dispose()}>
        {label}
      </button>
    );
    if (this.phase === 'done') {
      return close(trans.__('Close'));
    }
    if (this.phase === 'working') {
      return close(trans.__('Go on in the background'));
    }
    if (this.choices.length === 0) {
      return close(trans.__('Close'), true);
    }
    return (
      <>
        {this.phase === 'choose' && (
          <button
            className="jp-nbml-button"
            aria-expanded={this.planned}
            onClick={() => {
              this.planned = !this.planned;
              this.update();
            }}
          >
            {this.planned ? trans.__('Hide the plan') : trans.__('Show the plan')}
          </button>
        )}
        {close(trans.__('Cancel'))}
        <button
          className="jp-nbml-button jp-nbml-primary"
          disabled={!NAME.test(this.name)}
          onClick={() => void this.deploy()}
        >
          {this.phase === 'failed' ? trans.__('Try again') : trans.__('Deploy')}
        </button>
      </>
    );
  }

  private async deploy(): Promise<void> {
    const { trans } = this.host;
    const choice = this.choices[this.picked];
    this.began = Date.now();
    this.doing = choice.kind === 'model' ? trans.__('the cell runs in the notebook') : trans.__('starting the service');
    this.set('working');
    const clock = window.setInterval(() => this.update(), 1000);
    try {
      if (choice.kind === 'model') {
        if (!(await this.host.run(this.line()))) {
          throw new Refused(0, trans.__('The cell failed; the notebook says why.'));
        }
      } else {
        await this.host.act(['deploy', choice.service.ref, '--to', 'local']);
      }
      await this.model.refresh();
      this.set('done');
    } catch (error) {
      this.problem = error instanceof Refused && error.next ? `${error.message}\n${error.next}` : (error as Error).message;
      this.set('failed');
    } finally {
      window.clearInterval(clock);
    }
  }

  private set(phase: Phase): void {
    this.phase = phase;
    if (!this.isDisposed) {
      this.update();
    }
  }

  private onChanged(): void {
    if (this.phase === 'choose') {
      const now = this.choices[this.picked];
      this.choices = choices(this.model);
      this.picked = Math.max(0, this.choices.findIndex(c => now && same(c, now)));
    }
    this.update();
  }

  private suggestion(): string {
    const choice = this.choices[this.picked];
    if (!choice) {
      return '';
    }
    return choice.kind === 'service' ? choice.service.name : fit(choice.name);
  }

  private what(): string {
    const choice = this.choices[this.picked];
    return choice.kind === 'service' ? choice.service.ref : choice.name;
  }

  private line(): string {
    const choice = this.choices[this.picked];
    return choice.kind === 'service'
      ? `%nbml deploy ${choice.service.ref} --to local`
      : `%nbml deploy ${choice.name} --name ${this.name} --to local`;
  }

  private running(): IRow | undefined {
    return this.model.rows('deployment').find(row => row.name === this.name);
  }

  /** A real row of what is running now. */
  private sample(): { [column: string]: unknown } {
    const services = this.model.state.services.filter(s => s.name === this.name);
    const label = this.running()?.label;
    return (services.find(s => s.ref === label) ?? services[0])?.sample[0] ?? {};
  }

  private get seconds(): number {
    return Math.round((Date.now() - this.began) / 1000);
  }

  private choices: Choice[];
  private picked: number;
  private name: string;
  private phase: Phase = 'choose';
  private planned = false;
  private problem = '';
  private doing = '';
  private began = 0;
  private before: Element | null;
}

/** Packaged services first, newest version first; then the notebook's fitted models. */
function choices(model: StateModel): Choice[] {
  const { services, models } = model.state;
  return [
    ...services.map((service): Choice => ({ kind: 'service', service })),
    ...models.map(({ name, type }): Choice => ({ kind: 'model', name, type }))
  ];
}

function same(a: Choice, b: Choice): boolean {
  return a.kind === 'service' ? b.kind === 'service' && a.service.ref === b.service.ref : b.kind === 'model' && a.name === b.name;
}

function describe(choice: Choice, trans: TranslationBundle): string {
  if (choice.kind === 'model') {
    return [choice.name, choice.type, trans.__('fitted in this notebook')].filter(Boolean).join(' · ');
  }
  const { ref, rows, made, size: bytes } = choice.service;
  const proven = rows ? trans.__('proven on %1 rows', digits(rows)) : trans.__('packaged');
  return [ref, `${proven}, ${ago(made)}`, bytes ? size(bytes) : ''].filter(Boolean).join(' · ');
}

function risks(choice: Choice, trans: TranslationBundle): string[] {
  if (choice.kind === 'model') {
    return [];
  }
  const { suite, warnings } = choice.service;
  const bare = suite ? [] : [trans.__('No suite travels along: only names and types of the columns are checked.')];
  return [...warnings, ...bare];
}

/** A variable's name, made to fit as a stored name. */
function fit(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '').slice(0, 63) || 'model';
}

function Nothing(props: { trans: TranslationBundle }): JSX.Element {
  return (
    <div className="jp-nbml-body">
      <p>{props.trans.__('There is no packaged service, and no fitted model in this notebook.')}</p>
      <Line line="%nbml package model --name churn" />
    </div>
  );
}

function Risk(props: { state: 'look' | 'bad'; children: React.ReactNode }): JSX.Element {
  return (
    <p className="jp-nbml-risk" data-state={props.state} role={props.state === 'bad' ? 'alert' : undefined}>
      {props.children}
    </p>
  );
}

function Line(props: { line: string }): JSX.Element {
  return (
    <p className="jp-nbml-muted">
      <code className="jp-nbml-plain">{props.line}</code>
    </p>
  );
}

function Plan(props: { choice: Choice; trans: TranslationBundle }): JSX.Element {
  const { choice, trans } = props;
  const steps = [
    trans.__('A supervisor takes a free port of this machine; nobody else on the network reaches it.'),
    trans.__('It starts the service and waits until the service answers.'),
    trans.__('From then on every request is recorded; the service outlives the kernel, until you stop it.')
  ];
  if (choice.kind === 'model') {
    steps.unshift(
      trans.__('The cells that the model needs become a module.'),
      trans.__('In a fresh process it must answer as the model in this kernel does, or nothing is built.')
    );
  }
  return (
    <ol className="jp-nbml-plan">
      {steps.map((step, i) => (
        <li key={i}>{step}</li>
      ))}
    </ol>
  );
}
