import { useCallback, useEffect, useState } from 'react';

import { Copy } from '../copy';
import { counted, moment } from '../format';
import type { Backend, Provider } from '../vendor';
import { LostNotice, type Trouble, TroubleNotice, troubleOf } from './notices';
import type { Panel, PanelProps } from './panel';

const STATES: Record<string, [string, string]> = {
  ready: ['ready', 'ok'],
  'needs-key': ['needs a key', 'warn'],
  'not-installed': ['not installed', 'quiet'],
  offline: ['offline', 'bad']
};

/** Where a job can run, by who runs it; what it takes where it cannot yet. */
function Backends({ client }: PanelProps) {
  const { providers, trouble, lost, asking, read } = useBackends(client);
  return (
    <div className="qpm-Panel">
      <div className="qpm-Panel-bar qpm-Backends-bar">
        <button type="button" className="qpm-Button" disabled={asking !== ''} onClick={() => void read(false)}>
          Refresh
        </button>
        <button type="button" className="qpm-Button" disabled={asking !== ''} onClick={() => void read(true)} title="Asks the vendors that are ready">
          Ask how busy they are
        </button>
        <span className="qpm-quiet" role="status">
          {asking}
        </span>
      </div>
      {lost && <LostNotice />}
      {trouble && <TroubleNotice trouble={trouble} retry={() => void read(false)} />}
      {!providers && !trouble && <p className="qpm-Notice qpm-quiet">Loading …</p>}
      <ul className="qpm-List" aria-label="Providers">
        {(providers ?? []).map(provider => (
          <ProviderItem key={provider.id} provider={provider} />
        ))}
      </ul>
    </div>
  );
}

/** Asks no vendor by itself: only the button does. */
function useBackends(client: PanelProps['client']) {
  const [providers, setProviders] = useState<Provider[] | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [lost, setLost] = useState(false);
  const [asking, setAsking] = useState('');
  const read = useCallback(
    async (live: boolean) => {
      setAsking(live ? 'Asking the vendors …' : 'Loading …');
      try {
        setProviders(await client.api.backends(live));
        setTrouble(null);
      } catch (error) {
        setTrouble(troubleOf(error));
      } finally {
        setAsking('');
      }
    },
    [client]
  );
  useEffect(() => {
    void read(false);
    return client.events.subscribe(event => setLost(event.type === 'lost'));
  }, [client, read]);
  return { providers, trouble, lost, asking, read };
}

function ProviderItem({ provider }: { provider: Provider }) {
  const [word, tone] = STATES[provider.state] ?? [provider.state, 'quiet'];
  return (
    <li className="qpm-Provider">
      <details open={provider.state === 'ready'}>
        <summary>
          <span className={`qpm-Dot qpm-${tone}`} aria-hidden="true" />
          <b>{provider.title}</b> <span className={`qpm-${tone}`}>{word}</span>
          <span className="qpm-quiet qpm-num qpm-Provider-many">{counted(provider.backends.length, 'backend')}</span>
        </summary>
        {provider.commands.length > 0 && <Advice provider={provider} />}
        <ul className="qpm-List">
          {provider.backends.map(backend => (
            <BackendItem key={backend.id} backend={backend} usual={provider.state} />
          ))}
        </ul>
      </details>
    </li>
  );
}

/** Typed in a terminal: a key never goes through a page. */
function Advice({ provider: { note, commands } }: { provider: Provider }) {
  return (
    <p className="qpm-Provider-advice">
      {note}, in a terminal:{' '}
      {commands.map(command => (
        <Copy key={command} full={command} short={command} what="command" />
      ))}
    </p>
  );
}

interface BackendItemProps {
  backend: Backend;
  /** The provider's state, which is not said again. */
  usual: string;
}

function BackendItem({ backend, usual }: BackendItemProps) {
  const [word, tone] = STATES[backend.state] ?? [backend.state, 'quiet'];
  return (
    <li className="qpm-Backend">
      <Copy full={backend.id} short={backend.id} what="backend id" />
      {backend.state !== usual && <span className={`qpm-${tone}`}> {word}</span>}
      <div className="qpm-num">{[kindOf(backend), backend.qubits === null ? '' : counted(backend.qubits, 'qubit')].filter(Boolean).join(' · ')}</div>
      <div className="qpm-quiet">{backend.description}</div>
      <div className="qpm-quiet">{whereOf(backend)}</div>
      {backend.live && <div className={backend.live.available === false ? 'qpm-warn qpm-num' : 'qpm-num'}>{liveWords(backend.live)}</div>}
    </li>
  );
}

function kindOf({ kind, noisy, local }: Backend): string {
  return kind === 'simulator' ? `${noisy ? 'noisy' : 'ideal'} simulator, ${local ? 'here' : 'remote'}` : 'quantum computer';
}

function whereOf({ local, region, legalSeat }: Backend): string {
  return local ? '' : [region && `machine in ${region}`, legalSeat && `company in ${legalSeat}`].filter(Boolean).join(' · ');
}

function liveWords({ available, queue, calibratedAt, message }: NonNullable<Backend['live']>): string {
  const said = [
    available === null ? '' : available ? 'available' : 'not available',
    queue === null ? '' : `${counted(queue, 'job')} waiting`,
    calibratedAt && `calibrated ${moment(calibratedAt)}`,
    message
  ].filter(Boolean);
  return said.join(' · ') || 'it does not say how it is';
}

export const backends: Panel = { id: 'qpm-lab-backends', title: 'Backends', share: 2, Component: Backends };
