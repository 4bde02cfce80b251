import { Token } from '@lumino/coreutils';

import type { Client } from '../client';

export const IClient = new Token<Client>('qpm-lab:IClient', 'Jobs and budgets of the qpm_lab server extension.');

/** Opens a job's card in the main area. */
export type OpenJob = (jobId: string, name: string) => void;

export const IOpenJob = new Token<OpenJob>('qpm-lab:IOpenJob', 'Opens the card of a job.');
