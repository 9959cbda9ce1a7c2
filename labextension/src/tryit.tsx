/** The try-it form: a real row as JSON, one request to the running service, its answer. */

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Chip } from './drawings';
import { digits } from './figures';

export interface IReply {
  status: number;
  answer: unknown;
}

export interface ITryProps {
  /** Name of the service. */
  name: string;
  url: string;
  /** A row that the service was proven on; {} where none was kept. */
  sample: { [column: string]: unknown };
  ask(body: unknown): Promise<IReply>;
  /** Put the token into the clipboard; null where the service asks for none. */
  copyToken: (() => Promise<void>) | null;
  trans: TranslationBundle;
}

interface ITryState {
  text: string;
  busy: boolean;
  reply: IReply | null;
  took: number;
  problem: string;
}

export class TryForm extends React.Component<ITryProps, ITryState> {
  constructor(props: ITryProps) {
    super(props);
    const text = JSON.stringify({ rows: [props.sample] }, null, 2);
    this.state = { text, busy: false, reply: null, took: 0, problem: '' };
  }

  override render(): JSX.Element {
    const { name, url, trans, copyToken } = this.props;
    const { text, busy, reply, took, problem } = this.state;
    return (
      <form className="jp-nbml-try" aria-label={trans.__('Try %1', name)} onSubmit={this.predict}>
        <p>
          <code>{url ? `${url}/predict` : name}</code>
          {url && <Copy text={`${url}/predict`} label={trans.__('Copy address')} trans={trans} />}
          {copyToken && (
            <button type="button" className="jp-nbml-link" onClick={() => void copyToken()}>
              {trans.__('Copy token')}
            </button>
          )}
        </p>
        <label className="jp-nbml-label">
          <span className="jp-nbml-muted">{trans.__('Rows, as JSON')}</span>
          <textarea
            className="jp-nbml-input"
            spellCheck={false}
            rows={Math.min(24, text.split('\n').length + 1)}
            value={text}
            aria-invalid={problem ? true : undefined}
            onChange={event => this.setState({ text: event.target.value, problem: '' })}
            onKeyDown={event => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                event.stopPropagation();
                event.currentTarget.form?.requestSubmit();
              }
            }}
          />
        </label>
        <p className="jp-nbml-act">
          <span className="jp-nbml-problem" role="alert">
            {problem}
          </span>
          <button type="submit" className="jp-nbml-button jp-nbml-primary" disabled={busy}>
            {busy ? trans.__('Asking…') : trans.__('Predict')}
          </button>
        </p>
        {reply && <Reply reply={reply} took={took} trans={trans} />}
      </form>
    );
  }

  private predict = (event: React.FormEvent): void => {
    event.preventDefault();
    const { trans } = this.props;
    let body: unknown;
    try {
      body = JSON.parse(this.state.text);
    } catch (error) {
      this.setState({ problem: trans.__('This is not JSON: %1', (error as Error).message) });
      return;
    }
    if (!Array.isArray((body as { rows?: unknown } | null)?.rows)) {
      this.setState({ problem: trans.__('The request is {"rows": [{...}, ...]}.') });
      return;
    }
    this.setState({ busy: true, problem: '' });
    const began = performance.now();
    this.props.ask(body).then(
      reply => this.setState({ reply, took: performance.now() - began, busy: false }),
      error => this.setState({ problem: (error as Error).message, busy: false })
    );
  };
}

function Copy(props: { text: string; label: string; trans: TranslationBundle }): JSX.Element {
  const [done, set] = React.useState(false);
  const copy = () => void navigator.clipboard?.writeText(props.text).then(() => set(true));
  return (
    <button type="button" className="jp-nbml-link" onClick={copy}>
      {done ? props.trans.__('Copied') : props.label}
    </button>
  );
}

interface IAnswer {
  ids: unknown[];
  predictions: unknown[];
  probabilities?: { classes: unknown[]; values: unknown[][] };
  flags?: unknown[];
  version?: unknown;
}

function isAnswer(value: unknown): value is IAnswer {
  const said = value as Partial<IAnswer> | null;
  return Array.isArray(said?.predictions) && Array.isArray(said?.ids);
}

/** Rows of an answer that are shown one by one; all are in the JSON below. */
const FEW = 10;

function Reply(props: { reply: IReply; took: number; trans: TranslationBundle }): JSX.Element {
  const { reply, took, trans } = props;
  const { status, answer } = reply;
  const good = status < 300 && isAnswer(answer);
  const facts = [`${status}`, `${digits(Math.round(took))} ms`];
  if (good && typeof answer.version === 'string') {
    facts.unshift(answer.version);
  }
  return (
    <div className="jp-nbml-reply" data-state={good ? 'well' : 'bad'} role="status">
      <p>
        <Chip state={good ? 'well' : 'bad'}>{good ? trans.__('answered') : trans.__('refused')}</Chip>{' '}
        <span className="jp-nbml-muted">{facts.join(' · ')}</span>
      </p>
      {good
        ? answer.predictions.slice(0, FEW).map((prediction, i) => (
            <p key={i}>
              <b className="jp-nbml-prediction">{words(prediction)}</b>
              <span className="jp-nbml-muted">
                {chances(answer, i)}
                {flags(answer, i)}
              </span>
            </p>
          ))
        : problems(answer).map((line, i) => <p key={i}>{line}</p>)}
      <details>
        <summary>{trans.__('The answer as JSON')}</summary>
        <pre className="jp-nbml-code" tabIndex={0}>
          {JSON.stringify(answer, null, 2)}
        </pre>
      </details>
    </div>
  );
}

function words(value: unknown): string {
  return typeof value === 'number' ? digits(value) : typeof value === 'string' ? value : JSON.stringify(value);
}

/** " · true 0.93, false 0.07" */
function chances(answer: IAnswer, i: number): string {
  const classes = answer.probabilities?.classes;
  const row = answer.probabilities?.values?.[i];
  if (!Array.isArray(classes) || !Array.isArray(row)) {
    return '';
  }
  return ' · ' + classes.slice(0, 5).map((c, j) => `${words(c)} ${words(row[j])}`).join(', ');
}

function flags(answer: IAnswer, i: number): string {
  const said = answer.flags?.[i];
  return Array.isArray(said) && said.length ? ` · ${said.map(words).join(', ')}` : '';
}

/** What was wrong, one line for each; the shape is the service's, so it is looked at before it is used. */
function problems(answer: unknown): string[] {
  const whole = (answer ?? {}) as { [key: string]: unknown };
  const said = (typeof whole.error === 'object' && whole.error !== null ? whole.error : whole) as { [key: string]: unknown };
  const list = [said.problems, said.detail, said.errors].find(Array.isArray) as unknown[] | undefined;
  const first = [said.error, said.message, said.detail].find(v => typeof v === 'string') as string | undefined;
  const lines = (list ?? []).slice(0, FEW).map(item => {
    if (typeof item !== 'object' || item === null) {
      return words(item);
    }
    const d = item as { [key: string]: unknown };
    const told = [d.message, d.problem, d.expectation].find(v => typeof v === 'string');
    const value = 'value' in d ? words(d.value) : '';
    const place = [d.row === undefined ? '' : `row ${words(d.row)}`, typeof d.column === 'string' ? d.column : ''];
    return [...place, value, told === undefined ? JSON.stringify(item) : String(told)].filter(Boolean).join(' · ');
  });
  return [...(first ? [first] : []), ...lines];
}
