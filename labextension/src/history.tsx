/** What the detail views of a dataset and of a suite's checks have in common: a history that is read again when the panel's row has
 * a version more, a picture of it, and below it the report of the version that is shown. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel, Widget } from '@lumino/widgets';
import { elsewhere, IResult, parse } from './mime';
import { IRow, StateModel } from './model';
import { IHost, ResultView } from './result';

export interface IHistoryHost extends IHost {
  /** Run a command without a kernel; its value. */
  act(argv: string[]): Promise<unknown>;
  /** Something of the record below `nbml/api/v1`. */
  read<T>(path: string, query?: { [name: string]: string }): Promise<T>;
  /** The same for the project that is asked now, whichever notebook is in front later. */
  here(): IHistoryHost;
  /** Open the detail view of something. */
  open(detail: { kind: string; name: string; ref: string; label: string; result: string }): void;
}

interface IEntry {
  version: number;
  result: string;
}

/** `H` is the history as it is read, `E` one entry of it; a subclass calls `begin` when it is made. */
export abstract class HistoryView<H extends { project: string }, E extends IEntry> extends Panel {
  constructor(
    private model: StateModel,
    protected host: IHistoryHost
  ) {
    super();
    this.addClass('jp-nbml-history');
    this.top = new Top(() => this.draw());
    this.addWidget(this.top);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.onChanged, this);
    super.dispose();
  }

  protected begin(): void {
    this.model.changed.connect(this.onChanged, this);
    void this.load();
  }

  /** The panel's line of what the view is of. */
  protected abstract row(model: StateModel): IRow | undefined;
  protected abstract ask(host: IHistoryHost): Promise<H>;
  /** Oldest first. */
  protected abstract entries(history: H): E[];
  /** What gives the value of an entry again; null where nothing does. */
  protected abstract again(entry: E): string | null;
  protected abstract draw(): JSX.Element | null;

  /** There is a version more. */
  protected arrived(now: E): void {
    void this.report(now);
  }

  protected get latest(): E | undefined {
    const entries = this.found ? this.entries(this.found) : [];
    return entries[entries.length - 1];
  }

  protected async report(entry: E): Promise<void> {
    this.shown = entry.version;
    this.top.update();
    const stored = entry.result ? await this.host.load(entry.result).catch(() => null) : null;
    if (this.shown === entry.version) {
      this.put(elsewhere(parse(stored), this.again(entry)));
    }
  }

  /** What stands below. */
  protected put(result: IResult | null): void {
    this.below?.dispose();
    this.below = null;
    if (result && !this.isDisposed) {
      this.below = new ResultView(result, this.host);
      this.addWidget(this.below);
    }
  }

  /** Only where the row says that there is a version more. */
  private onChanged(): void {
    if (this.found && this.model.state.project?.id !== this.found.project) {
      return; // another notebook is in front, of another project
    }
    const row = this.row(this.model);
    if (row && row.version !== this.latest?.version) {
      void this.load();
    }
  }

  private async load(): Promise<void> {
    const before = this.latest;
    const host = this.host.here();
    try {
      this.found = await this.ask(host);
      this.host = host;
      this.trouble = '';
    } catch (error) {
      this.trouble = this.found ? '' : (error as Error).message;
    }
    if (this.isDisposed) {
      return;
    }
    const now = this.latest;
    if (now && now.version !== before?.version) {
      this.arrived(now);
    }
    this.top.update();
  }

  protected top: Top;
  protected found: H | null = null;
  protected trouble = '';
  /** The version whose report is below; 0 where something else is. */
  protected shown = 0;
  private below: Widget | null = null;
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
