import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { AccordionPanel } from '@lumino/widgets';

import type { Panel, PanelProps } from '../panels/panel';
import { icon } from './icon';
import { IClient, IOpenJob, type OpenJob } from './tokens';
import type { Client } from '../client';

const ID = 'qpm-lab-sidebar';
const TITLE = 'Governed Quantum';

/** The sidebar with the panels given; each gets a section and a command that shows it. */
export function sidebar(panels: Panel[]): JupyterFrontEndPlugin<void> {
  return {
    id: 'qpm-lab:sidebar',
    description: 'Jobs and budgets beside the notebook.',
    autoStart: true,
    requires: [IClient, IOpenJob],
    optional: [ILayoutRestorer, ICommandPalette],
    activate: (
      app: JupyterFrontEnd,
      client: Client,
      openJob: OpenJob,
      restorer: ILayoutRestorer | null,
      palette: ICommandPalette | null
    ) => {
      const side = makeSidebar(panels, { client, openJob });
      app.shell.add(side, 'left', { rank: 450 });
      restorer?.add(side, ID);
      for (const [index, panel] of panels.entries()) {
        const command = `qpm-lab:show-${panel.title.toLowerCase()}`;
        app.commands.addCommand(command, {
          label: `${TITLE}: Show ${panel.title}`,
          describedBy: { args: { type: 'object', properties: {} } },
          execute: () => {
            app.shell.activateById(ID);
            (side.content as AccordionPanel).expand(index);
          }
        });
        palette?.addItem({ command, category: TITLE });
      }
    }
  };
}

function makeSidebar(panels: Panel[], props: PanelProps): SidePanel {
  const side = new SidePanel();
  side.id = ID;
  side.title.icon = icon;
  side.title.caption = TITLE;
  side.addClass('qpm-Sidebar');
  for (const panel of panels) {
    side.addWidget(new Section(panel, props));
  }
  (side.content as AccordionPanel).setRelativeSizes(panels.map(panel => panel.share));
  return side;
}

/** One panel; it asks nothing of the server before it is seen, and keeps its filter when hidden. */
class Section extends ReactWidget {
  private seen = false;

  constructor(
    private readonly panel: Panel,
    private readonly props: PanelProps
  ) {
    super();
    this.id = panel.id;
    this.title.label = panel.title;
    this.addClass('qpm-Section');
  }

  protected onAfterAttach(message: Message): void {
    this.seen ||= this.isVisible;
    super.onAfterAttach(message);
  }

  protected onAfterShow(message: Message): void {
    this.seen = true;
    super.onAfterShow(message);
    this.update();
  }

  protected render() {
    const { Component } = this.panel;
    return this.seen ? <Component {...this.props} /> : null;
  }
}
