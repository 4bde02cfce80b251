import { useEffect, useMemo, useRef, useState } from 'react';

import type { JobFilter } from '../api';
import { useNow } from '../now';
import { STATES } from '../record';
import { openWords, stateWord } from '../words';
import { JobHistory, NO_FILTER } from './history';
import { JobItem } from './JobItem';
import { FirstSteps, LostNotice, TroubleNotice } from './notices';
import type { Panel, PanelProps } from './panel';

const TYPING_MS = 250;

/** Jobs, newest first, live by push. */
function Jobs({ client, openJob }: PanelProps) {
  const [history, state] = useHistory(client);
  const now = useNow(5000);
  const { rows, filter, trouble } = state;
  return (
    <div className="qpm-Panel">
      <div className="qpm-Panel-bar">
        <Filters onChange={chosen => void history.setFilter(chosen)} />
        <span className="qpm-quiet qpm-num" role="status">{openWords(state.open, state.parked)}</span>
      </div>
      {state.lost && <LostNotice />}
      {trouble && <TroubleNotice trouble={trouble} retry={() => void history.refresh()} />}
      {!trouble && state.loaded && !rows.length && <Empty filter={filter} />}
      {!state.loaded && !rows.length && <p className="qpm-Notice qpm-quiet">Loading …</p>}
      <ul className="qpm-List" aria-label="Jobs, newest first">
        {rows.map(row => (
          <JobItem
            key={row.jobId}
            row={row}
            now={now}
            open={openJob}
            cancel={() => client.api.cancel(row.jobId)}
            settle={known => client.api.settle(row.jobId, known)}
          />
        ))}
      </ul>
      {state.more && (
        <button type="button" className="qpm-Button qpm-More" disabled={state.loadingOlder} onClick={() => void history.loadOlder()}>
          {state.loadingOlder ? 'Loading …' : 'Load older'}
        </button>
      )}
    </div>
  );
}

function useHistory(client: PanelProps['client']) {
  const [, show] = useState<unknown>(null);
  const history = useMemo(() => new JobHistory(client, show), [client]);
  useEffect(() => history.start(), [history]);
  return [history, history.state] as const;
}

function Empty({ filter }: { filter: JobFilter }) {
  return filter.state || filter.experiment || filter.text ? (
    <p className="qpm-Notice qpm-quiet">No job fits this filter.</p>
  ) : (
    <FirstSteps title="No jobs yet" then="Its card appears in the cell, and the job here." />
  );
}

function Filters({ onChange }: { onChange: (filter: JobFilter) => void }) {
  const [filter, setFilter] = useState(NO_FILTER);
  const typing = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(typing.current), []);
  const change = (part: Partial<JobFilter>) => {
    const chosen = { ...filter, ...part };
    setFilter(chosen);
    clearTimeout(typing.current);
    typing.current = setTimeout(() => onChange(chosen), 'state' in part ? 0 : TYPING_MS);
  };
  return (
    <div className="qpm-Filters" role="search" aria-label="Filter jobs">
      <input
        className="qpm-Field"
        type="search"
        aria-label="Name, backend or state"
        placeholder="Filter by name, backend, state"
        maxLength={200}
        value={filter.text}
        onChange={event => change({ text: event.target.value })}
      />
      <input
        className="qpm-Field"
        type="search"
        aria-label="Experiment"
        placeholder="Experiment"
        maxLength={200}
        value={filter.experiment}
        onChange={event => change({ experiment: event.target.value })}
      />
      <select className="qpm-Field" aria-label="State" value={filter.state} onChange={event => change({ state: event.target.value })}>
        <option value="">Any state</option>
        {STATES.map(state => (
          <option key={state} value={state}>
            {stateWord(state)[0]}
          </option>
        ))}
      </select>
    </div>
  );
}

export const jobs: Panel = { id: 'qpm-lab-jobs', title: 'Jobs', share: 4, Component: Jobs };
