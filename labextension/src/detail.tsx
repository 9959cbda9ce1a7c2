/** The detail view of one row: what its result shows in the notebook, wider; for a deployment a try-it form below. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel, Widget } from '@lumino/widgets';
import * as React from 'react';
import { ChecksView } from './checks';
import { Chip } from './drawings';
import { IHistoryHost } from './history';
import { elsewhere, parse } from './mime';
import { IRow, StateModel } from './model';
import { fromRecords } from './records';
import { ResultView } from './result';
import { IReply, TryForm } from './tryit';
import { VersionsView } from './versions';

export interface IDetailHost extends IHistoryHost {
  ask(name: string, body: unknown): Promise<IReply>;
  copyToken(name: string): Promise<void>;
}

/** Runs side by side: no thing of the record, its `ref` holds their ids. */
export const COMPARISON = 'comparison';

/** What a tab is opened, and found again after a reload, by. */
export interface IDetail {
  kind: string;
  name: string;
  ref: string;
  label: string;
  result: string;
  /** Of checks: what was checked. */
  data?: string;
}

export class DetailView extends Panel {
  constructor(
    readonly detail: IDetail,
    private model: StateModel,
    private host: IDetailHost
  ) {
    super();
    this.addClass('jp-nbml-detail');
    this.node.tabIndex = -1;
    const { kind, name, data } = detail;
    if (kind === 'dataset' || kind === 'validation') {
      // Of these every version has its place in one view.
      this.addWidget(kind === 'dataset' ? new VersionsView(name, model, host) : new ChecksView(name, data ?? '', model, host));
      return;
    }
    model.changed.connect(this.onChanged, this);
    void this.load(detail.result);
    if (detail.kind === 'deployment') {
      this.addWidget(new TryPart(detail.name, model, host));
    }
  }

  override dispose(): void {
    this.model.changed.disconnect(this.onChanged, this);
    super.dispose();
  }

  /** The row may have been given another result, as a deployment's is when it is updated. */
  private onChanged(): void {
    const result = this.row()?.result;
    if (result && result !== this.shown) {
      void this.load(result);
    }
  }

  private row(): IRow | undefined {
    const { kind, ref } = this.detail;
    return this.model.rows(kind).find(row => row.ref === ref);
  }

  private async load(id: string): Promise<void> {
    this.shown = id;
    const stored = await this.stored(id).catch((error: Error) => this.refused(error));
    if (this.isDisposed || this.shown !== id) {
      return;
    }
    const result = elsewhere(parse(stored) ?? fromRecords(stored, this.detail.label), null);
    this.body?.dispose();
    this.body = result ? new ResultView(result, this.host) : this.nothing();
    this.insertWidget(0, this.body);
  }

  /** What is drawn. Of a run of the long list only its name is known here; runs side by side are compared by the project's Python. */
  private async stored(id: string): Promise<unknown> {
    const { kind, ref } = this.detail;
    if (kind === COMPARISON) {
      return this.host.act(['compare', ...ref.split(' ')]);
    }
    if (id || kind !== 'run') {
      return id ? this.host.load(id) : null;
    }
    const body = (await this.host.thing(kind, ref)) as { result?: unknown; uid?: unknown } | null;
    return typeof body?.result === 'string' && body.result ? this.host.load(body.result) : this.host.read(`run/${String(body?.uid)}`);
  }

  private refused(error: Error): null {
    this.trouble = error.message;
    return null;
  }

  private nothing(): Widget {
    const { trans } = this.host;
    const row = this.row();
    return ReactWidget.create(
      <p>
        <Chip state={row?.state ?? 'idle'}>{this.detail.label}</Chip>{' '}
        <span className="jp-nbml-muted">{this.trouble || row?.figure || trans.__('Nothing more was kept of it.')}</span>
      </p>
    );
  }

  private shown = '';
  private trouble = '';
  private body: Widget | null = null;
}

/** The form stays while the state around it moves: what was typed must not be lost. */
class TryPart extends ReactWidget {
  constructor(
    private service: string,
    private model: StateModel,
    private host: IDetailHost
  ) {
    super();
    this.addClass('jp-nbml-trypart');
    model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected render(): JSX.Element | null {
    const { state } = this.model;
    const row = this.model.rows('deployment').find(r => r.name === this.service);
    if (!row || !state.project) {
      return null;
    }
    const services = state.services.filter(s => s.name === this.service);
    const service = services.find(s => s.ref === row.label) ?? services[0];
    const { trans } = this.host;
    return (
      <>
        <h3>{trans.__('Try it')}</h3>
        <TryForm
          key={row.label}
          name={this.service}
          url={row.url ?? ''}
          sample={service?.sample[0] ?? {}}
          ask={body => this.host.ask(this.service, body)}
          copyToken={row.token ? () => this.host.copyToken(this.service) : null}
          trans={trans}
        />
      </>
    );
  }
}
