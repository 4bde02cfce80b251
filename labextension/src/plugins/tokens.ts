import { Token } from '@lumino/coreutils';

import type { RunAgain } from '../card/Next';
import type { Client } from '../client';

export const IClient = new Token<Client>('qpm-lab:IClient', 'Jobs and budgets of the qpm_lab server extension.');

/** Opens a job's card in the main area. */
export type OpenJob = (jobId: string, name: string) => void;

export const IOpenJob = new Token<OpenJob>('qpm-lab:IOpenJob', 'Opens the card of a job.');

/** How to run a job again below the card that is drawn in `node`; undefined where there is no notebook to run it in. */
export type RunBelow = (node: HTMLElement) => RunAgain | undefined;

export const IRunBelow = new Token<RunBelow>('qpm-lab:IRunBelow', 'Runs a job again below its card.');
