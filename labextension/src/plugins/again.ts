import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

import type { RunAgain } from '../card/Next';
import { rerunQuestion } from '../trustWords';
import { IRunBelow, type RunBelow } from './tokens';

export const again: JupyterFrontEndPlugin<RunBelow> = {
  id: 'qpm-lab:again',
  description: 'Runs a job again in a cell below its card.',
  autoStart: true,
  provides: IRunBelow,
  requires: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker): RunBelow => {
    return node => {
      const panel = tracker.find(known => known.content.node.contains(node));
      return panel && !panel.model?.readOnly ? runBelow(panel, node) : undefined;
    };
  }
};

/** Asks when it costs something, then puts the command into a cell of its own and runs it. */
function runBelow(panel: NotebookPanel, node: HTMLElement): RunAgain {
  return async (rerun, code) => {
    const question = rerunQuestion(rerun);
    if (question && !(await confirmed(question))) {
      return false;
    }
    const { content, model, sessionContext } = panel;
    const place = content.widgets.findIndex(cell => cell.node.contains(node)) + 1;
    if (!model || place === 0) {
      throw new Error('The cell of this card is gone.');
    }
    model.sharedModel.insertCell(place, { cell_type: 'code', source: code });
    content.deselectAll();
    content.activeCellIndex = place;
    void NotebookActions.run(content, sessionContext);
    return true;
  };
}

async function confirmed(body: string): Promise<boolean> {
  const buttons = [Dialog.cancelButton(), Dialog.okButton({ label: 'Run again' })];
  const { button } = await showDialog({ title: 'Run this job again?', body, buttons, defaultButton: 0 });
  return button.accept;
}
