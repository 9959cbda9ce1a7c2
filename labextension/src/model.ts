/** What the panel knows: the project's state, read again whenever the server rings. It asks no kernel, ever. */

import { ServiceManager } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';
import { Api, IWhere, Refused } from './api';
import { State } from './mime';

export const SCHEMA_ID = 'https://events.nbml.dev/store_changed/v1';

export interface IRow {
  kind: string;
  name: string;
  version: number;
  ref: string;
  label: string;
  state: State;
  figure: string;
  spark: number[] | null;
  result: string;
  made: number;
  /** Of validations: what was checked, and how the last checks went, oldest first. */
  data?: string;
  strip?: State[];
  /** Of deployments. */
  url?: string;
  /** Whether it asks for a token. */
  token?: boolean;
}

export interface ISection {
  kind: string;
  title: string;
  count: number;
  rows: IRow[];
}

/** A service as the Deploy form needs it. */
export interface IService {
  ref: string;
  name: string;
  version: number;
  made: number;
  rows: number | null;
  warnings: string[];
  sample: { [column: string]: unknown }[];
  suite: string;
  size: number | null;
}

export interface IStep {
  text: (string | { code: string })[];
  line: string;
}

export interface IState {
  version: number;
  project: { id: string; name: string; by: 'kernel' | 'path' } | null;
  sections: ISection[];
  models: { name: string; type: string }[];
  services: IService[];
  next: IStep | null;
}

const EMPTY: IState = { version: 1, project: null, sections: [], models: [], services: [], next: null };
/** The doorbell may be missed while the server is away; this often the panel looks by itself. */
const SLOW = 30_000;

export class StateModel {
  constructor(
    private services: ServiceManager.IManager,
    readonly api: Api,
    private whereabouts: () => IWhere
  ) {
    services.events.stream.connect(this.onEvent, this);
    document.addEventListener('visibilitychange', this.onVisible);
    this.timer = window.setInterval(this.onVisible, SLOW);
  }

  /** The state, or what stands in its place, is another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get where(): IWhere {
    return this.whereabouts();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** What row a detail view is about: of data the dataset, of checks suite and data, else the very thing. */
  static key({ kind, name, ref, data }: { kind: string; name: string; ref: string; data?: string }): string {
    return kind === 'dataset' ? name : kind === 'validation' ? `${name} on ${data ?? ''}` : ref;
  }

  rows(kind: string): IRow[] {
    return this.state.sections.find(section => section.kind === kind)?.rows ?? [];
  }

  /** Read the state again. One request is in flight at a time; asked meanwhile, it asks once more at the end. */
  async refresh(): Promise<void> {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    do {
      this.again = false;
      const where = this.where;
      try {
        const state = await this.api.get<IState>('state', where);
        this.error = state.version === 1 ? null : new Refused(0, 'The nbml server extension is newer. Reload the page.');
        this.state = state.version === 1 ? state : EMPTY;
      } catch (error) {
        this.error = error instanceof Refused ? error : new Refused(0, String(error));
        if (this.error.status !== 0) {
          this.state = EMPTY; // with no answer at all the last state stays
        }
      }
      const now = this.where;
      this.again = this.again || now.kernel !== where.kernel || now.path !== where.path;
      this.ready = true;
      if (!this._disposed) {
        this._changed.emit();
      }
    } while (this.again && !this._disposed);
    this.asking = false;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    window.clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.services.events.stream.disconnect(this.onEvent, this);
    Signal.clearData(this);
  }

  state: IState = EMPTY;
  error: Refused | null = null;
  /** Whether there was an answer yet. */
  ready = false;

  private onEvent(_: unknown, event: { schema_id: string; [key: string]: unknown }): void {
    if (event.schema_id === SCHEMA_ID && (!this.state.project || event.project === this.state.project.id)) {
      void this.refresh();
    }
  }

  private onVisible = (): void => {
    if (!document.hidden) {
      void this.refresh();
    }
  };

  private timer: number;
  private asking = false;
  private again = false;
  private _disposed = false;
  private _changed = new Signal<this, void>(this);
}
