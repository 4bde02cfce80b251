/** The push channel: one WebSocket for the whole page, opened with the first listener, reopened with backoff. */

export type LedgerEvent =
  /** From here on no change is missed: the moment to read everything again. */
  | { type: 'ready' }
  | { type: 'changed'; jobs: string[]; more: boolean }
  | { type: 'error'; message: string; hint: string }
  /** The connection is gone; `ready` follows when it is back. */
  | { type: 'lost' };

export type Listener = (event: LedgerEvent) => void;

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

export class Events {
  private readonly listeners = new Set<Listener>();
  private socket: WebSocket | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  /** What a listener that comes later has to know at once. */
  private standing: LedgerEvent | null = null;

  constructor(private readonly connect: () => WebSocket) {}

  /** Adds a listener; returns the function that removes it. The last one out closes the connection. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.standing) {
      listener(this.standing);
    }
    if (!this.socket && this.retry === undefined) {
      this.open();
    }
    return () => this.unsubscribe(listener);
  }

  private unsubscribe(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) {
      return;
    }
    clearTimeout(this.retry);
    this.retry = undefined;
    this.standing = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private open(): void {
    this.retry = undefined;
    const socket = (this.socket = this.connect());
    socket.onmessage = message => {
      if (socket === this.socket) {
        this.hear(message.data);
      }
    };
    socket.onclose = () => {
      if (socket === this.socket) {
        this.lose();
      }
    };
  }

  private hear(data: unknown): void {
    const event = readEvent(data);
    if (!event) {
      return;
    }
    if (event.type === 'ready') {
      this.failures = 0;
    }
    if (event.type !== 'changed') {
      this.standing = event.type === 'error' ? event : null;
    }
    this.tell(event);
  }

  private lose(): void {
    this.socket = null;
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures++);
    // Spread, so that the pages of a whole hub do not come back in the same instant.
    this.retry = setTimeout(() => this.open(), delay * (0.75 + Math.random() / 2));
    this.standing = { type: 'lost' };
    this.tell(this.standing);
  }

  private tell(event: LedgerEvent): void {
    for (const listener of [...this.listeners]) {
      listener(event);
    }
  }
}

function readEvent(data: unknown): LedgerEvent | null {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(String(data));
  } catch {
    return null;
  }
  switch (body?.type) {
    case 'ready':
      return { type: 'ready' };
    case 'changed':
      return { type: 'changed', jobs: (body.jobs as string[] | undefined) ?? [], more: body.more === true };
    case 'error':
      return { type: 'error', message: String(body.message), hint: String(body.hint) };
    default:
      return null;
  }
}
