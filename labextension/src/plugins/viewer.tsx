import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';

import { JobPage } from '../card/JobPage';
import type { Client } from '../client';
import { icon } from './icon';
import { IClient, IOpenJob, type OpenJob } from './tokens';

const COMMAND = 'qpm-lab:open-job';

export const viewer: JupyterFrontEndPlugin<OpenJob> = {
  id: 'qpm-lab:viewer',
  description: 'Shows the card of a job in the main area.',
  autoStart: true,
  provides: IOpenJob,
  requires: [IClient],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, client: Client, restorer: ILayoutRestorer | null): OpenJob => {
    const tracker = new WidgetTracker<MainAreaWidget<JobWidget>>({ namespace: 'qpm-lab-job' });
    app.commands.addCommand(COMMAND, {
      label: 'Governed Quantum: Open Job',
      describedBy: {
        args: { type: 'object', properties: { jobId: { type: 'string' }, name: { type: 'string' } }, required: ['jobId'] }
      },
      execute: args => {
        const jobId = String(args.jobId);
        const known = tracker.find(widget => widget.content.jobId === jobId);
        const widget = known ?? makeWidget(client, jobId, String(args.name ?? jobId));
        if (!known) {
          app.shell.add(widget, 'main');
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
      }
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: COMMAND,
        args: ({ content }) => ({ jobId: content.jobId, name: content.title.label }),
        name: ({ content }) => content.jobId
      });
    }
    return (jobId, name) => void app.commands.execute(COMMAND, { jobId, name });
  }
};

class JobWidget extends ReactWidget {
  constructor(
    private readonly client: Client,
    readonly jobId: string
  ) {
    super();
    this.addClass('qpm-JobPage');
  }

  protected render() {
    return <JobPage client={this.client} jobId={this.jobId} />;
  }
}

function makeWidget(client: Client, jobId: string, name: string): MainAreaWidget<JobWidget> {
  const content = new JobWidget(client, jobId);
  const widget = new MainAreaWidget({ content });
  widget.id = `qpm-lab-job-${jobId}`;
  content.title.label = name;
  content.title.caption = `Job ${jobId}`;
  content.title.icon = icon;
  content.title.closable = true;
  return widget;
}
