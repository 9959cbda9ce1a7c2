/** A result as a widget: drawn from its JSON, sorted and filtered with no kernel, following the store while it runs. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { ISignal } from '@lumino/signaling';
import * as React from 'react';
import { Chip } from './drawings';
import { visible } from './figures';
import { further, IResult, ITable, parse, partAt, plain } from './mime';
import { FRESH, IFold, IView, Parts, Text } from './parts';
import { Unexpected } from './unexpected';

/** What a result may ask of the application; it knows nothing else of it. */
export interface IHost {
  /** Something in the store has changed. */
  readonly changed: ISignal<unknown, void>;
  /** The latest form in the store, with the first rows of its tables; rejects where it is not to be had. */
  load(id: string): Promise<unknown>;
  /** Further rows of one of its tables. */
  rows(id: string, part: string, from: number, count: number): Promise<{ rows?: unknown; stored?: unknown }>;
  /** The body of a stored thing. */
  thing(kind: string, ref: string): Promise<unknown>;
  /** Put a line into the notebook as a visible cell; null where there is no notebook. */
  put: ((line: string) => void) | null;
  readonly trans: TranslationBundle;
}

/** A running output that was fed within this time is left to its kernel. */
const FED = 1500;
/** Rows of a page that is fetched. */
const PAGE = 5000;
const REF = /^[a-z0-9][a-z0-9._-]{0,62}@[1-9][0-9]{0,8}$/;

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
          {word && <Chip state={state}>{visible(word)}</Chip>}
          <span>
            <Text of={title} />
            {facts.map((fact, i) => (
              <span key={i} className="jp-nbml-muted">
                {' · '}
                {visible(fact)}
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
          fetch={(path, upto) => void this.fetch(path, upto)}
          fold={this.fold()}
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
      return; // the next event asks again
    } finally {
      this.loading = false;
    }
    const result = parse(stored);
    if (this.isDisposed || this.result !== before || !result) {
      return; // the kernel was faster
    }
    void this.draw(result);
    if (before.state === 'running' && result.state !== 'running') {
      this.onEnd(stored);
    }
  }

  /** Read the rows of a table that are not here, page by page; each page is shown as it comes. */
  private async fetch(path: string, upto: number): Promise<void> {
    const result = this.result;
    const part = partAt(result, path);
    if (part?.type !== 'table') {
      return;
    }
    this.wanted.set(path, Math.max(upto, this.wanted.get(path) ?? 0));
    if (part.loading) {
      return;
    }
    part.loading = true;
    this.note = '';
    try {
      while (this.result === result && !this.isDisposed && part.rows.length < this.upto(path, part)) {
        this.update();
        await this.page(part, path);
      }
    } catch {
      this.note = this.host.trans.__('The other rows are not to be had here: the store of this result is elsewhere.');
      this.wanted.delete(path);
    }
    part.loading = false;
    this.update();
  }

  private upto(path: string, table: ITable): number {
    return Math.min(this.wanted.get(path) ?? 0, table.stored ?? table.total);
  }

  private async page(table: ITable, path: string): Promise<void> {
    const said = await this.host.rows(this.result.id, path, table.rows.length, PAGE);
    const rows = further(said.rows, table);
    if (!rows || typeof said.stored !== 'number') {
      throw new Error('unreadable rows');
    }
    table.stored = rows.length ? said.stored : table.rows.length;
    table.rows.push(...rows);
  }

  /** Each failed expectation of a check unfolds to the values that broke it; the record has them. */
  private fold(): IFold | null {
    const { kind, ref } = this.result;
    if (kind !== 'validation' || !REF.test(ref)) {
      return null;
    }
    const { host } = this;
    return {
      of: table => table.columns[0]?.name === 'expectation',
      draw: (table, row) => <Unexpected of={table.rows[row][0]} body={() => this.body(ref)} trans={host.trans} />
    };
  }

  private body(ref: string): Promise<unknown> {
    this.asked ??= this.host.thing('validation', ref).catch(error => {
      this.asked = null; // the server may be back when it is asked again
      throw error;
    });
    return this.asked;
  }

  private asked: Promise<unknown> | null = null;
  private wanted = new Map<string, number>();
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
