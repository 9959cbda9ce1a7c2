/** Calls of the server extension. `makeRequest` adds the token and the XSRF header by itself. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Which project is meant: that of a kernel, else that of a notebook's path. */
export interface IWhere {
  kernel: string;
  path: string;
}

/** The server extension said no, and why; `next` is a line to type. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly next: string | null = null
  ) {
    super(message);
  }
}

export const MISSING = 'The nbml server extension does not answer.';

export class Api {
  constructor(private settings: ServerConnection.ISettings) {}

  get<T>(path: string, where: IWhere, query: { [name: string]: string } = {}): Promise<T> {
    return this.call<T>(path, where, { method: 'GET' }, query);
  }

  post<T>(path: string, where: IWhere, body: unknown): Promise<T> {
    return this.call<T>(path, where, { method: 'POST', body: JSON.stringify(body) });
  }

  private async call<T>(
    path: string,
    where: IWhere,
    init: RequestInit,
    query: { [name: string]: string } = {}
  ): Promise<T> {
    const asked = URLExt.objectToQueryString({ kernel: where.kernel, path: where.path, ...query });
    const url = URLExt.join(this.settings.baseUrl, 'nbml', 'api', 'v1', path) + asked;
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new Refused(0, 'The Jupyter server does not answer.');
    }
    // Without the extension the answer is a page, not JSON.
    const json = (response.headers.get('content-type') ?? '').includes('json');
    const said: unknown = json ? await response.json().catch(() => null) : null;
    if (response.ok && said !== null) {
      return said as T;
    }
    const told = (said ?? {}) as { message?: unknown; next?: unknown };
    if (typeof told.message !== 'string' || (response.status === 404 && !json)) {
      throw new Refused(response.status, MISSING, 'jupyter server extension list');
    }
    throw new Refused(response.status, told.message, typeof told.next === 'string' ? told.next : null);
  }
}
