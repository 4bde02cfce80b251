import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { makeApi } from '../api';
import type { Client } from '../client';
import { Events } from '../events';
import { IClient } from './tokens';

const ROOT = 'qpm-lab/api';

export const client: JupyterFrontEndPlugin<Client> = {
  id: 'qpm-lab:client',
  description: 'Talks to the server extension.',
  autoStart: true,
  provides: IClient,
  activate: (app: JupyterFrontEnd): Client => {
    const settings = app.serviceManager.serverSettings;
    const send = (path: string, init: RequestInit) =>
      ServerConnection.makeRequest(URLExt.join(settings.baseUrl, ROOT) + `/${path}`, init, settings);
    return { api: makeApi(send), events: new Events(() => new settings.WebSocket(socketUrl(settings))) };
  }
};

function socketUrl(settings: ServerConnection.ISettings): string {
  const url = URLExt.join(settings.wsUrl, ROOT, 'events');
  return settings.appendToken && settings.token ? `${url}?token=${encodeURIComponent(settings.token)}` : url;
}
