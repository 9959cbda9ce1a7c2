/** The active notebook: whose kernel the panel is bound to, and where lines are put. Never runs anything hidden. */

import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';
import { IWhere } from './api';

/** The comm by which a form in an output, as that of `%nbml expect --edit`, asks for a visible cell when its button is pressed. */
const CELL = 'nbml.cell';
const NOWHERE: IWhere = { kernel: '', path: '' };

export class ActiveNotebook {
  constructor(private tracker: INotebookTracker | null) {
    tracker?.currentChanged.connect(this.onCurrent, this);
    this.onCurrent();
  }

  /** Another notebook or another kernel; or the kernel has come to rest and may have said where its project is. */
  get moved(): ISignal<this, 'bound' | 'idle'> {
    return this._moved;
  }

  get panel(): NotebookPanel | null {
    return this.tracker?.currentWidget ?? null;
  }

  get where(): IWhere {
    const panel = this.panel;
    if (!panel || panel.isDisposed) {
      return NOWHERE;
    }
    return { kernel: panel.sessionContext.session?.kernel?.id ?? '', path: panel.context.localPath };
  }

  /** A visible cell with this source: the active one where it is empty, else a new one below it. */
  put(source: string, panel: NotebookPanel | null = this.panel): void {
    if (!panel || panel.isDisposed) {
      return;
    }
    const notebook = panel.content;
    const active = notebook.activeCell;
    if (!active || active.model.type !== 'code' || active.model.sharedModel.getSource().trim() !== '') {
      NotebookActions.insertBelow(notebook);
    }
    notebook.activeCell?.model.sharedModel.setSource(source);
    notebook.deselectAll();
    notebook.mode = 'edit';
    const cell = notebook.activeCell;
    if (cell) {
      void notebook.scrollToCell(cell, 'auto');
    }
  }

  /** The same, and the cell is run. True where it came to its end without an error. */
  async run(source: string): Promise<boolean> {
    this.put(source);
    const panel = this.panel;
    return panel ? NotebookActions.run(panel.content, panel.sessionContext) : false;
  }

  dispose(): void {
    this.tracker?.currentChanged.disconnect(this.onCurrent, this);
    this.follow(null);
    Signal.clearData(this);
  }

  private onCurrent(): void {
    this.follow(this.panel);
    this._moved.emit('bound');
  }

  private follow(panel: NotebookPanel | null): void {
    if (this.followed && !this.followed.isDisposed) {
      this.followed.sessionContext.kernelChanged.disconnect(this.onKernel, this);
      this.followed.sessionContext.statusChanged.disconnect(this.onStatus, this);
    }
    this.followed = panel;
    panel?.sessionContext.kernelChanged.connect(this.onKernel, this);
    panel?.sessionContext.statusChanged.connect(this.onStatus, this);
    this.listen();
  }

  /** What the kernel asks for goes below the active cell of its own notebook, which may not be the current one by then. */
  private listen(): void {
    const panel = this.followed;
    panel?.sessionContext.session?.kernel?.registerCommTarget(CELL, (_, message) => {
      const { source } = message.content.data;
      if (typeof source === 'string') {
        this.put(source, panel);
      }
    });
  }

  private onKernel(): void {
    this.listen();
    this._moved.emit('bound');
  }

  private onStatus(_: unknown, status: string): void {
    if (status === 'idle') {
      this._moved.emit('idle');
    }
  }

  private followed: NotebookPanel | null = null;
  private _moved = new Signal<this, 'bound' | 'idle'>(this);
}
