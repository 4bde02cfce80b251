import { useCallback, useEffect, useRef, useState } from 'react';

import { amount, moment, percent, secondsSince } from '../format';
import { Meter } from '../meter';
import { useNow } from '../now';
import type { QuotaLine } from '../record';
import { quotaLabel, quotaShare, renewal } from '../words';
import { FirstSteps, LostNotice, type Trouble, TroubleNotice, troubleOf } from './notices';
import type { Panel, PanelProps } from './panel';

/** Every quota that binds this user: used, held, left, and when it starts afresh. */
function Budgets({ client }: PanelProps) {
  const { lines, trouble, lost, refresh } = useBudgets(client);
  const now = useNow(30_000);
  useEffect(() => {
    if (lines?.some(line => (secondsSince(line.renewsAt, now) ?? -1) >= 0)) {
      void refresh();
    }
  }, [now]);
  return (
    <div className="qpm-Panel">
      {lost && <LostNotice />}
      {trouble && <TroubleNotice trouble={trouble} retry={() => void refresh()} />}
      {!trouble && lines?.length === 0 && (
        <FirstSteps title="No quota binds you yet" then="What it draws on appears here: used, held and left." />
      )}
      <ul className="qpm-List" aria-label="Quotas">
        {lines?.map((line, index) => (
          <Budget key={index} line={line} title={titleOf(line, lines)} now={now} />
        ))}
      </ul>
    </div>
  );
}

function useBudgets(client: PanelProps['client']) {
  const [lines, setLines] = useState<QuotaLine[] | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [lost, setLost] = useState(false);
  const question = useRef(0);
  const refresh = useCallback(async () => {
    const asked = ++question.current;
    const [found, failed] = await client.api.budgets().then(
      answer => [answer, null] as const,
      (error: unknown) => [null, troubleOf(error)] as const
    );
    if (asked === question.current) {
      setLines(known => found ?? known);
      setTrouble(failed);
    }
  }, [client]);
  useEffect(() => {
    void refresh();
    const unsubscribe = client.events.subscribe(event => {
      setLost(event.type === 'lost');
      if (event.type === 'error') {
        setTrouble(event);
      } else if (event.type !== 'lost') {
        void refresh();
      }
    });
    return () => {
      question.current++;
      unsubscribe();
    };
  }, [client, refresh]);
  return { lines, trouble, lost, refresh };
}

/** Measure, who and when; the quota's id too where that would name two of them. */
function titleOf(line: QuotaLine, lines: QuotaLine[]): string {
  const label = quotaLabel(line);
  const twins = lines.filter(other => quotaLabel(other) === label);
  return twins.length > 1 ? `${label} · ${line.quota}` : label;
}

interface BudgetProps {
  line: QuotaLine;
  title: string;
  now: number;
}

function Budget({ line, title, now }: BudgetProps) {
  const share = quotaShare(line);
  const figures = `${amount(line.used, line.unit)} of ${amount(line.limit, line.unit)}`;
  const held = Number(line.reserved) > 0 ? `${amount(line.reserved, line.unit)} held by running jobs` : '';
  const left = `${amount(line.left, line.unit)} left`;
  return (
    <li className="qpm-Budget">
      <div className="qpm-Budget-head">
        <b title={`Quota ${line.quota}${line.owner && `, owner ${line.owner}`}`}>{title}</b>
        <span className="qpm-num">{figures}</span>
      </div>
      <Meter used={share.used} reserved={share.reserved} tight={share.tight} label={`${title}: ${figures}, ${left}`} />
      <div className="qpm-quiet qpm-num" title={line.renewsAt && moment(line.renewsAt)}>
        {share.tight && <b className="qpm-warn">{warning(share)} · </b>}
        {[held, left, renewal(line, now)].filter(Boolean).join(' · ')}
      </div>
    </li>
  );
}

function warning(share: ReturnType<typeof quotaShare>): string {
  return share.spent ? 'used up' : `almost used up, ${percent(share.used + share.reserved)}`;
}

export const budgets: Panel = { id: 'qpm-lab-budgets', title: 'Budgets', Component: Budgets };
