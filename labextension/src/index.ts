/** Wiring only: what exists, who hears whom, and which commands there are. */

import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Menu } from '@lumino/widgets';
import { Api, IWhere, Refused } from './api';
import { DeployForm } from './deploy';
import { COMPARISON, DetailView, IDetail, IDetailHost } from './detail';
import { visible } from './figures';
import { nbmlIcon } from './icon';
import { linesOf } from './lines';
import { IRow, StateModel } from './model';
import { ActiveNotebook } from './notebook';
import { commands } from './palette';
import { NbmlPanel } from './panel';
import { createFactory } from './renderer';
import { IReply } from './tryit';

const CATEGORY = 'nbml';
const NO_ARGS = { args: { type: 'object', properties: {} } };

namespace CommandIDs {
  export const panel = 'nbml:show-panel';
  export const deploy = 'nbml:deploy';
  export const open = 'nbml:open';
  export const line = 'nbml:put-line';
  export const act = 'nbml:act';
  export const magic = (name: string) => `nbml:magic-${name || 'state'}`;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: '@nbml/labextension:plugin',
  description: 'The nbml side panel, results, Deploy button and commands.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator, INotebookTracker, ICommandPalette, ILayoutRestorer, ISettingRegistry, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    shell: ILabShell | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('nbml');
    const notebook = new ActiveNotebook(notebooks);
    const api = new Api(app.serviceManager.serverSettings);
    const model = new StateModel(app.serviceManager, api, () => notebook.where);
    notebook.moved.connect((_, how) => {
      // A kernel that comes to rest may just have loaded nbml; once bound, the doorbell is enough.
      if (how === 'bound' || model.state.project?.by !== 'kernel') {
        void model.refresh();
      }
    });
    void model.refresh();
    void settings?.load(plugin.id);

    /** A line needs nbml in its kernel; one that does not know it yet is told first. */
    const put = (line: string) => {
      if (model.state.project?.by !== 'kernel' && !line.includes('%load_ext nbml')) {
        notebook.put('%load_ext nbml');
      }
      notebook.put(line);
    };
    /** What results and detail views may ask, of the project that a place leads to. */
    const hostOf = (where: () => IWhere): IDetailHost => ({
      changed: model.changed,
      load: id => api.get<unknown>(`result/${id}`, where()),
      rows: (id, part, from, count) => api.get(`rows/${id}`, where(), { part, from: String(from), count: String(count) }),
      thing: async (kind, ref) => (await api.get<{ body?: unknown }>(`thing/${kind}/${ref.replace('@', '/')}`, where())).body,
      read: (path, query) => api.get(path, where(), query),
      act: async argv => (await api.post<{ value?: unknown }>('action', where(), { argv })).value,
      open: detail => void app.commands.execute(CommandIDs.open, { ...detail }),
      here: () => {
        const place = where();
        return hostOf(() => place);
      },
      put: notebooks ? put : null,
      ask: (name, body) => api.post<IReply>(`try/${name}`, where(), body),
      copyToken: async name => {
        const { token } = await api.post<{ token: string }>(`token/${name}`, where(), {});
        Clipboard.copyToSystem(token);
      },
      trans
    });
    const host = hostOf(() => model.where);
    rendermime.addFactory(createFactory(host));

    const menu = new Menu({ commands: app.commands });
    menu.addClass('jp-nbml-menu');
    const offer = (row: IRow, x: number, y: number) => {
      menu.clearItems();
      menu.addItem({ command: CommandIDs.open, args: detailOf(row) });
      if (row.kind === 'service') {
        menu.addItem({ command: CommandIDs.deploy, args: { service: row.ref } });
      }
      menu.addItem({ type: 'separator' });
      linesOf(row).forEach(({ line, argv }) =>
        menu.addItem(argv ? { command: CommandIDs.act, args: { line, argv } } : { command: CommandIDs.line, args: { line } })
      );
      menu.open(x, y);
    };
    const panel = new NbmlPanel(model, {
      put,
      open: row => void app.commands.execute(CommandIDs.open, detailOf(row)),
      menu: offer,
      compare: runs => {
        const ref = runs.map(run => run.uid).join(' ');
        const label = runs.length === 2 ? runs.map(run => run.name).join(' · ') : trans.__('%1 runs', runs.length);
        void app.commands.execute(CommandIDs.open, { kind: COMPARISON, name: ref, ref, label, result: '', data: '' });
      },
      trans
    });
    app.shell.add(panel, 'left', { rank: 700 });
    restorer?.add(panel, panel.id);

    const tabs = new WidgetTracker<MainAreaWidget<DetailView>>({ namespace: 'nbml-details' });
    addCommands(app, { model, notebook, host, tabs, panel, put, inLab: shell !== null });
    void restorer?.restore(tabs, {
      command: CommandIDs.open,
      args: tab => ({ ...tab.content.detail }),
      name: tab => tab.id
    });

    [CommandIDs.panel, CommandIDs.deploy].forEach(command => palette?.addItem({ command, category: CATEGORY }));
    commands().forEach(({ name }) => palette?.addItem({ command: CommandIDs.magic(name), category: CATEGORY }));
  }
};

interface IParts {
  model: StateModel;
  notebook: ActiveNotebook;
  host: IDetailHost;
  tabs: WidgetTracker<MainAreaWidget<DetailView>>;
  panel: NbmlPanel;
  put(line: string): void;
  inLab: boolean;
}

function detailOf(row: IRow): { [key: string]: string } {
  const { kind, name, ref, label, result, data } = row;
  return { kind, name, ref, label, result, data: data ?? '' };
}

function addCommands(app: JupyterFrontEnd, parts: IParts): void {
  const { model, notebook, host, tabs, panel, put, inLab } = parts;
  const { trans } = host;
  const text = (name: string) => ({ type: 'string', description: name });

  app.commands.addCommand(CommandIDs.panel, {
    label: trans.__('Show the nbml Panel'),
    describedBy: NO_ARGS,
    execute: () => app.shell.activateById(panel.id)
  });

  app.commands.addCommand(CommandIDs.deploy, {
    label: args => (args.service ? trans.__('Deploy %1…', String(args.service)) : trans.__('Deploy')),
    caption: trans.__('Make a model of this notebook answer requests'),
    describedBy: { args: { type: 'object', properties: { service: text('The service to choose, as name@n') } } },
    execute: async args => {
      await model.refresh();
      const deploying = { run: (line: string) => notebook.run(line), ...host };
      new DeployForm(model, deploying, typeof args.service === 'string' ? args.service : null).open();
    }
  });

  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Open'),
    describedBy: {
      args: { type: 'object', properties: { kind: text('Kind'), name: text('Name'), ref: text('Reference'), result: text('Result'), data: text('Data') } }
    },
    execute: async args => {
      const detail: IDetail = {
        kind: String(args.kind ?? ''),
        name: String(args.name ?? ''),
        ref: String(args.ref ?? ''),
        label: String(args.label ?? args.ref ?? ''),
        result: String(args.result ?? ''),
        data: String(args.data ?? '')
      };
      const id = `nbml-detail-${detail.kind}-${StateModel.key(detail)}`;
      const open = tabs.find(tab => tab.id === id);
      if (open) {
        app.shell.activateById(id);
        return open;
      }
      const tab = new MainAreaWidget({ content: new DetailView(detail, model, host) });
      tab.toolbar.hide(); // it has nothing in it
      tab.id = id;
      const checks = trans.__('%1 · checks', detail.label);
      tab.title.label = visible({ dataset: detail.name, validation: checks }[detail.kind] ?? detail.label);
      tab.title.caption = visible(`nbml · ${detail.kind} ${StateModel.key(detail)}`);
      tab.title.icon = nbmlIcon;
      tab.title.closable = true;
      // Notebook 7 shows one widget in its main area and ignores a second one.
      app.shell.add(tab, inLab ? 'main' : 'right');
      await tabs.add(tab);
      app.shell.activateById(id);
      return tab;
    }
  });

  app.commands.addCommand(CommandIDs.line, {
    label: args => String(args.line ?? trans.__('Put a line into the notebook')),
    caption: trans.__('Put this line into the notebook'),
    describedBy: { args: { type: 'object', properties: { line: text('The line') } } },
    isEnabled: () => notebook.panel !== null,
    execute: args => put(String(args.line ?? ''))
  });

  app.commands.addCommand(CommandIDs.act, {
    label: args => String(args.line ?? trans.__('Run a command of nbml')),
    caption: trans.__("Run this in the project's own Python"),
    describedBy: {
      args: { type: 'object', properties: { line: text('The line it stands for'), argv: { type: 'array', items: { type: 'string' } } } }
    },
    execute: async args => {
      const line = String(args.line ?? '');
      const id = Notification.emit(line, 'in-progress', { autoClose: false });
      try {
        await host.act(args.argv as string[]);
        Notification.update({ id, message: line, type: 'success', autoClose: 3000 });
      } catch (error) {
        const next = error instanceof Refused && error.next ? ` · ${error.next}` : '';
        Notification.update({ id, message: `${(error as Error).message}${next}`, type: 'error', autoClose: 10_000 });
      }
      void model.refresh();
    }
  });

  commands().forEach(({ name, summary, example }) =>
    app.commands.addCommand(CommandIDs.magic(name), {
      label: `%nbml ${name}`.trim(),
      caption: summary,
      describedBy: NO_ARGS,
      isEnabled: () => notebook.panel !== null,
      execute: () => put(example)
    })
  );
}

export default plugin;
