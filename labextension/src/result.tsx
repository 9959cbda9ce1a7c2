/** A result as a widget: drawn from its JSON, sorted and filtered with no kernel, following the store while it runs. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { ISignal } from '@lumino/signaling';
import * as React from 'react';
import { Chip } from './drawings';
import { IResult, parse, plain } from './mime';
import { FRESH, IView, Parts, Text } from './parts';

/** What a result may ask of the application; it knows nothing else of it. */
export interface IHost {
  /** Something in the store has changed. */
  readonly changed: ISignal<unknown, void>;
  /** The whole, latest form in the store; rejects where it is not to be had. */
  load(id: string): Promise<unknown>;
  /** Put a line into the notebook as a visible cell; null where there is no notebook. */
  put: ((line: string) => void) | null;
  readonly trans: TranslationBundle;
}

/** A running output that was fed within this time is left to its kernel. */
const FED = 1500;

export class ResultView extends ReactWidget {
  constructor(
    private result: IResult,
    private host: IHost,
    private onEnd: (stored: unknown) => void = () => undefined
  ) {
    super();
    this.addClass('jp-nbml-result');
    host.changed.connect(this.onChanged, this);
    this.onChanged();
  }

  override dispose(): void {
    this.host.changed.disconnect(this.onChanged, this);
    super.dispose();
  }

  /** The kernel sent a newer form. */
  feed(result: IResult): Promise<void> {
    this.fed = Date.now();
    return this.draw(result);
  }

  protected render(): JSX.Element {
    const { title, word, state, facts, next, parts } = this.result;
    const { trans } = this.host;
    return (
      <section aria-label={plain(title)} data-state={state} onKeyDown={keepKeys}>
        <p className="jp-nbml-title">
          {word && <Chip state={state}>{word}</Chip>}
          <span>
            <Text of={title} />
            {facts.map((fact, i) => (
              <span key={i} className="jp-nbml-muted">
                {' · '}
                {fact}
              </span>
            ))}
          </span>
        </p>
        <Parts
          of={parts}
          path=""
          view={path => this.views.get(path) ?? FRESH}
          change={(path, change) => {
            this.views.set(path, { ...(this.views.get(path) ?? FRESH), ...change });
            this.update();
          }}
          whole={() => void this.load()}
          trans={trans}
        />
        {this.note && (
          <p className="jp-nbml-muted" role="alert">
            {this.note}
          </p>
        )}
        {next.length > 0 && <Next lines={next} host={this.host} />}
      </section>
    );
  }

  private draw(result: IResult): Promise<void> {
    this.result = result;
    this.update();
    return this.renderPromise ?? Promise.resolve();
  }

  /** After a page reload nobody feeds a running result any more, and a killed kernel never will: the store knows. */
  private onChanged(): void {
    if (this.result.state === 'running' && Date.now() - this.fed > FED) {
      void this.load();
    }
  }

  private async load(): Promise<void> {
    if (this.loading) {
      return;
    }
    const before = this.result;
    let stored: unknown;
    this.loading = true;
    try {
      stored = await this.host.load(before.id);
    } catch {
      this.note = before.state === 'running' ? '' : this.host.trans.__('The whole result is not available here.');
      this.update();
      return;
    } finally {
      this.loading = false;
    }
    const result = parse(stored);
    if (this.isDisposed || this.result !== before || !result) {
      return; // the kernel was faster
    }
    this.note = '';
    void this.draw(result);
    if (before.state === 'running' && result.state !== 'running') {
      this.onEnd(stored);
    }
  }

  private fed = 0;
  private loading = false;
  private note = '';
  private views = new Map<string, IView>();
}

function Next(props: { lines: string[]; host: IHost }): JSX.Element {
  const { lines, host } = props;
  const { put, trans } = host;
  return (
    <p className="jp-nbml-next">
      <span className="jp-nbml-muted">{trans.__('Next:')}</span>
      {lines.map((line, i) => (
        <React.Fragment key={i}>
          {i > 0 && <span className="jp-nbml-muted">{trans.__('or')}</span>}
          {put ? (
            <button className="jp-nbml-line" title={trans.__('Put this line into the notebook')} onClick={() => put(line)}>
              <code>{line}</code>
            </button>
          ) : (
            <code>{line}</code>
          )}
        </React.Fragment>
      ))}
    </p>
  );
}

/** The notebook's command mode takes Enter, arrows and letters ("d d" deletes the cell); chords stay with it. */
function keepKeys(event: React.KeyboardEvent): void {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && !(event.shiftKey && event.key === 'Enter')) {
    event.stopPropagation();
  }
}
