/** Draws `application/vnd.nbml.v1+json` in notebooks; hands what it cannot read to the HTML of the same bundle. */

import { RenderedHTML } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel } from '@lumino/widgets';
import { MIME, parse } from './mime';
import { IHost, ResultView } from './result';

export class NbmlRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    private options: IRenderMime.IRendererOptions,
    private host: IHost
  ) {
    super();
    this.addClass('jp-nbml-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const result = parse(model.data[MIME]);
    if (result && this.view) {
      return this.view.feed(result);
    }
    while (this.widgets.length) {
      this.widgets[0].dispose();
    }
    if (result) {
      this.view = new ResultView(result, this.host, stored => keep(model, stored));
      return this.addWidget(this.view);
    }
    this.view = null;
    const html = new RenderedHTML({ ...this.options, mimeType: 'text/html' });
    this.addWidget(html);
    return html.renderModel(model);
  }

  private view: ResultView | null = null;
}

/** The end of a run that outlived its page goes into the notebook, with the next save. */
function keep(model: IRenderMime.IMimeModel, stored: unknown): void {
  const { html, plain, ...bundle } = stored as { html?: unknown; plain?: unknown; [key: string]: unknown };
  const data: { [type: string]: unknown } = { ...model.data, [MIME]: bundle };
  if (typeof html === 'string') {
    data['text/html'] = html;
  }
  if (typeof plain === 'string') {
    data['text/plain'] = plain;
  }
  if (typeof html === 'string') {
    model.setData({ data: data as IRenderMime.IMimeModel['data'] });
  }
}

/** `safe`: an untrusted notebook is drawn too, since nothing of it becomes HTML or script. Rank 40 beats text/html. */
export function createFactory(host: IHost): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME],
    defaultRank: 40,
    createRenderer: options => new NbmlRenderer(options, host)
  };
}
