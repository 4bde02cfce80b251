import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Events, type LedgerEvent } from '../src/events';

class FakeSocket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
    this.onclose?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

describe('the push channel', () => {
  let sockets: FakeSocket[];
  let events: Events;
  let heard: LedgerEvent[];
  const last = () => sockets.at(-1) as FakeSocket;

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    heard = [];
    events = new Events(() => {
      sockets.push(new FakeSocket());
      return last() as unknown as WebSocket;
    });
  });
  afterEach(() => void vi.useRealTimers());

  it('is one connection for all listeners, closed with the last', () => {
    const first = events.subscribe(() => undefined);
    const second = events.subscribe(() => undefined);
    expect(sockets).toHaveLength(1);
    first();
    expect(last().closed).toBe(false);
    second();
    expect(last().closed).toBe(true);
    vi.advanceTimersByTime(120_000);
    expect(sockets).toHaveLength(1);
  });

  it('hands on what the ledger says and ignores what it cannot read', () => {
    events.subscribe(event => heard.push(event));
    last().say({ type: 'ready', entry: 1 });
    last().onmessage?.({ data: 'no json' });
    last().onmessage?.({ data: 'null' });
    last().say({ type: 'unheard-of' });
    last().say({ type: 'changed', entry: 2, jobs: ['J1'], more: false });
    expect(heard).toEqual([{ type: 'ready' }, { type: 'changed', jobs: ['J1'], more: false }]);
  });

  it('says that it is lost and comes back, waiting longer each time up to half a minute', () => {
    events.subscribe(event => heard.push(event));
    for (let failures = 0; failures < 12; failures++) {
      last().close();
      vi.advanceTimersByTime(37_501);
    }
    expect(sockets).toHaveLength(13);
    expect(heard.every(event => event.type === 'lost')).toBe(true);
    last().close();
    vi.advanceTimersByTime(20_000);
    expect(sockets).toHaveLength(13);
  });

  it('tells a late listener that the connection is gone', () => {
    events.subscribe(() => undefined);
    last().close();
    events.subscribe(event => heard.push(event));
    expect(heard).toEqual([{ type: 'lost' }]);
  });
});
