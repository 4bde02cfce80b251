import type { Api } from './api';
import type { Events } from './events';

/** What cards and panels need of the server; handed to them, so that they know nothing of JupyterLab. */
export interface Client {
  api: Api;
  events: Pick<Events, 'subscribe'>;
}
