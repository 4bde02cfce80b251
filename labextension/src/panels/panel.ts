import type { ComponentType } from 'react';

import type { Client } from '../client';

export interface PanelProps {
  client: Client;
  /** Opens a job's card in the main area. */
  openJob: (jobId: string, name: string) => void;
}

/** A section of the sidebar. A new one is a file here and a line in `index.ts`. */
export interface Panel {
  id: string;
  title: string;
  /** Its share of the sidebar's height, in proportion to the others. */
  share: number;
  Component: ComponentType<PanelProps>;
}
