import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ReactWidget } from '@jupyterlab/ui-components';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { LiveCard } from '../card/LiveCard';
import type { Client } from '../client';
import { type JobRecord, MIME, readRecord } from '../record';
import { IClient, IRunBelow, type RunBelow } from './tokens';

export const card: JupyterFrontEndPlugin<void> = {
  id: 'qpm-lab:card',
  description: 'Draws job records in cell outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry, IClient],
  optional: [IRunBelow],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry, client: Client, runBelow: RunBelow | null) => {
    // Before text/html (rank 50), whose static card is for pages without us.
    registry.addFactory({ safe: true, mimeTypes: [MIME], createRenderer: () => new CardRenderer(client, runBelow) }, 0);
  }
};

/** One cell output; updated in place, so that a running card that completes does not jump. */
export class CardRenderer extends ReactWidget implements IRenderMime.IRenderer {
  private record: JobRecord | null = null;

  constructor(
    private readonly client: Client,
    private readonly runBelow: RunBelow | null = null
  ) {
    super();
    this.addClass('qpm-Output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.record = readRecord(model.data[MIME]);
    this.update();
    await this.renderPromise;
  }

  protected render() {
    return this.record ? (
      <LiveCard saved={this.record} client={this.client} runAgain={this.runBelow?.(this.node)} />
    ) : (
      <p className="qpm-Notice">This output is not a job record that this version can draw. The cell’s data still holds it.</p>
    );
  }
}
