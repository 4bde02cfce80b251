import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError, makeApi } from '../src/api';
import { Card } from '../src/card/Card';
import { freshest, LiveCard } from '../src/card/LiveCard';
import { backends } from '../src/panels/backends';
import { jobs } from '../src/panels/jobs';
import { readParked, readProviders, readStanding } from '../src/vendor';
import { FakeServer, record, row } from './fixtures';

const STANDING = { state: 'queued', queue_position: 3, message: 'queued at IonQ, 3 before it', as_of: '2026-11-22T12:00:00Z' };
const PARKED = { message: 'Nobody can tell whether IonQ took it.', hint: 'Look at IonQ.', vendor: 'IonQ', unclear: true };
const PLACE = { vendor: 'IonQ', region: 'United States', legal_seat: 'US' };
const PRICED = { currency: 'USD', low: '0.4', high: '1.4', source: 'our contract', as_of: '2026-11-01', channel: 'IonQ direct', confidence: 'A' };
const open = { outcomes: null, fidelity: null, cost: null, place: PLACE, vendor_ids: ['v-1'] };
const queued = { ...open, status: 'queued', standing: STANDING, progress: { done: 0, total: 100, unit: 'shots', message: STANDING.message } };
const parked = { ...open, status: 'parked', parked: PARKED, error: { message: PARKED.message, hint: PARKED.hint } };

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const body = () => document.body.textContent ?? '';
const panel = () => render(<jobs.Component client={server} openJob={() => undefined} />);

describe('a job at a vendor in the panel', () => {
  it('says where it stands and when the vendor was asked', async () => {
    vi.setSystemTime('2026-11-22T12:00:12Z');
    server.rows = [row('J1', { status: 'queued', standing: readStanding(STANDING) })];
    panel();
    await screen.findByText('queued at IonQ, 3 before it');
    expect(body()).toContain('asked 12 s ago');
  });

  it('says what the vendor said instead, when that is something else', async () => {
    server.rows = [row('J1', { status: 'queued', standing: readStanding({ ...STANDING, message: 'IonQ does not answer' }) })];
    panel();
    await screen.findByText('queued');
    expect(body()).toContain('IonQ does not answer');
  });

  it('is settled there when it is parked, and not cancelled', async () => {
    server.rows = [row('J1', { status: 'parked', parked: readParked(PARKED) })];
    panel();
    const group = await screen.findByRole('group', { name: 'What became of job J1' });
    expect(body()).toContain('Look at IonQ.');
    expect(screen.queryByRole('button', { name: 'Cancel job J1' })).toBeNull();
    await act(async () => fireEvent.click(within(group).getByRole('button', { name: 'Ask IonQ again: job J1' })));
    expect(server.settled).toEqual([['J1', 'ask again']]);
  });

  it('offers only to ask again when the vendor is known to have it', async () => {
    server.rows = [row('J1', { status: 'parked', parked: readParked({ ...PARKED, unclear: false }) })];
    panel();
    await screen.findByRole('button', { name: /^Ask IonQ again/ });
    expect(screen.queryByRole('button', { name: /^IonQ has it/ })).toBeNull();
  });
});

describe('settling a parked job', () => {
  const show = () => {
    const settle = vi.fn(async () => undefined);
    render(<Card record={record(parked)} settle={settle} />);
    return settle;
  };

  it('takes the id without the blanks around it', async () => {
    const settle = show();
    fireEvent.click(screen.getByRole('button', { name: 'IonQ has it: ghz5' }));
    const follow = screen.getByRole<HTMLButtonElement>('button', { name: 'Follow this job' });
    expect(follow.disabled).toBe(true);
    fireEvent.change(screen.getByLabelText(/Its id at IonQ/), { target: { value: '  v-7 ' } });
    await act(async () => fireEvent.click(follow));
    expect(settle).toHaveBeenCalledWith({ vendorId: 'v-7' });
  });

  it('asks before it says that the vendor does not have it, with the way back in focus', async () => {
    const settle = show();
    fireEvent.click(screen.getByRole('button', { name: 'IonQ does not have it: ghz5' }));
    expect(document.activeElement?.textContent).toBe('Back');
    expect(settle).not.toHaveBeenCalled();
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'I looked: IonQ does not have it' })));
    expect(settle).toHaveBeenCalledWith('not submitted');
  });

  it('closes on Escape and gives the focus back', () => {
    show();
    const opener = screen.getByRole('button', { name: 'IonQ has it: ghz5' });
    fireEvent.click(opener);
    fireEvent.keyDown(screen.getByLabelText(/Its id at IonQ/), { key: 'Escape' });
    expect(screen.queryByLabelText(/Its id at IonQ/)).toBeNull();
    expect(document.activeElement).toBe(opener);
  });

  it('shows a refusal and stays usable', async () => {
    const refusing = async () => {
      throw new ApiError('It is not parked.', 'There is nothing to resolve.', 409);
    };
    render(<Card record={record(parked)} settle={refusing} />);
    const again = screen.getByRole<HTMLButtonElement>('button', { name: 'Ask IonQ again: ghz5' });
    await act(async () => fireEvent.click(again));
    expect(screen.getByRole('alert').textContent).toBe('It is not parked. There is nothing to resolve.');
    expect(again.disabled).toBe(false);
  });

  it('is offered on the card once the server knows the job', async () => {
    server.records.set('01JDABCDEFGHIJKL', record(parked));
    render(<LiveCard saved={record(queued)} client={server} />);
    expect(screen.queryByRole('group', { name: /What became/ })).toBeNull();
    await screen.findByRole('group', { name: 'What became of ghz5' });
    expect(screen.queryByRole('button', { name: 'Cancel ghz5' })).toBeNull();
  });

  it('is sent as the server reads it', async () => {
    const sent: [string, unknown][] = [];
    const api = makeApi(async (path, init) => {
      sent.push([path, init.body]);
      return new Response('{}', { status: 200 });
    });
    await api.settle('J1', { vendorId: 'v-7' });
    await api.settle('J1', 'not submitted');
    await api.settle('J1', 'ask again');
    expect(sent).toEqual([
      ['jobs/J1/resolve', '{"vendor_id":"v-7"}'],
      ['jobs/J1/resolve', '{"not_submitted":true}'],
      ['jobs/J1/resume', undefined]
    ]);
  });
});

describe('the card of a job at a vendor', () => {
  it('says where it is, when that was asked, and where it was sent', () => {
    vi.setSystemTime('2026-11-22T12:00:12Z');
    render(<Card record={record(queued)} />);
    expect(body()).toContain('queued at IonQ, 3 before it · asked 12 s ago');
    expect(body()).toContain('IonQ · machine in United States · company in US');
    expect(body()).toContain('with this kernel or without it');
    screen.getByRole('button', { name: 'Copy vendor’s id v-1' });
  });

  it('believes the ledger about the queue, not a kernel that has ended', () => {
    const later = { ...queued, standing: { ...STANDING, queue_position: 1, message: 'queued at IonQ, 1 before it' } };
    expect(freshest(record(queued), record({ ...later, progress: null })).progress).toMatchObject({ total: 100, message: 'queued at IonQ, 1 before it' });
  });

  it('says where a job would go before it is sent', () => {
    render(<Card record={record({ ...open, status: 'dry_run', quote: PRICED })} />);
    expect(body()).toContain('It would go toIonQ · machine in United States · company in US');
    expect(body()).toContain('$0.40 – $1.40 quoted (our contract, 2026-11-01, confidence A)');
    expect(body()).toContain('A: the vendor’s own text');
  });

  it('says where a refused job would have gone, and why its price is not known', () => {
    const unknown = { currency: 'USD', low: null, high: null, reason: 'No price is listed for it.' };
    render(<Card record={record({ ...open, status: 'denied', quote: unknown })} />);
    expect(body()).toContain('It would go to');
    expect(body()).toContain('Not known becauseNo price is listed for it.');
  });

  it.each([
    ['billed', 'billed by the vendor'],
    ['metered', 'metered: the usage the vendor named'],
    ['quoted', 'quoted (our contract'],
    ['refunded', 'not charged by the vendor']
  ])('says what a cost that is %s rests on', (basis, words) => {
    render(<Card record={record({ place: PLACE, quote: PRICED, cost: { currency: 'USD', amount: '1', basis } })} />);
    expect(body()).toContain(words);
    expect(body()).toContain(`Cost is${basis}: `);
  });

  it('says nothing of vendors when there is none', () => {
    render(<Card record={record()} />);
    expect(body()).not.toMatch(/vendor|It is sent to/i);
  });
});

describe('a job whose backend failed', () => {
  const fallback = { from: 'ionq/qpu.forte-1', to: 'aer/noisy', because: 'IonQ answered <b>503</b>.' };

  it('says where it ran instead, and why', () => {
    render(<Card record={record({ route: { fallback } })} />);
    screen.getByText('Fallback: ran on aer/noisy because ionq/qpu.forte-1 did not: IonQ answered <b>503</b>.');
  });

  it.each([[undefined], [null], [{ fallback: null }], [{ fallback: 'x' }], [{ fallback: {} }], ['x']])('says nothing of it for route %j', route => {
    render(<Card record={record({ route })} />);
    expect(body()).not.toContain('Fallback');
  });
});

describe('a job that was cancelled', () => {
  const cancelled = { ...open, status: 'cancelled', error: { message: 'The job was cancelled at IonQ.', hint: 'See what it cost.' } };
  const next = { text: 'See what it cost.', command: '' };
  const said = () => body().replace(document.querySelector('pre')?.textContent ?? '', '');

  it('says what it cost instead of asking to see it', () => {
    render(<Card record={record({ ...cancelled, next, cost: { currency: 'USD', amount: '0.4', basis: 'billed' } })} />);
    expect(body()).toContain('Spent: $0.40, billed by the vendor.');
    expect(said()).not.toContain('See what it cost');
  });

  it('says that nothing was spent', () => {
    render(<Card record={record({ ...cancelled, next })} />);
    expect(body()).toContain('Nothing was spent.');
    expect(said()).not.toContain('See what it cost');
  });
});

describe('the Backends panel', () => {
  const known = (state: string, more = {}) => ({
    provider: 'ionq',
    title: 'IonQ',
    state,
    note: 'Store its key',
    commands: state === 'ready' ? [] : ['qpm secret set ionq'],
    backends: [{ id: 'ionq/qpu.forte-1', kind: 'qpu', qubits: 36, local: false, state, region: 'United States', legal_seat: 'US', ...more }]
  });
  const show = () => render(<backends.Component client={server} openJob={() => undefined} />);

  it('says what a provider needs, with the command to copy', async () => {
    server.providers = readProviders([known('needs-key')]);
    show();
    await screen.findByText('needs a key');
    screen.getByRole('button', { name: 'Copy command qpm secret set ionq' });
    expect(body()).toContain('machine in United States · company in US');
  });

  it('asks the vendors only when a person wants it', async () => {
    server.providers = readProviders([known('ready')]);
    show();
    await screen.findByText('IonQ');
    expect(server.vendorsAsked).toBe(false);
    server.providers = readProviders([known('ready', { available: true, queue: 4, calibrated_at: '2026-11-20T06:00:00Z' })]);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Ask how busy they are' })));
    expect(server.vendorsAsked).toBe(true);
    expect(body()).toContain('available · 4 jobs waiting · calibrated 2026-11-20 06:00:00 UTC');
  });

  it('shows what went wrong with its hint', async () => {
    server.failure = new ApiError('settings.yaml cannot be read.', 'Mend line 3.', 400);
    show();
    expect((await screen.findByRole('alert')).textContent).toContain('Mend line 3.');
  });
});
