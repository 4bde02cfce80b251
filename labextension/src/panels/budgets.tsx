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
        {sessionsFirst(lines ?? []).map((line, index) => (
          <Budget key={index} line={line} twin={isTwin(line, lines ?? [])} now={now} />
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

/** The limits of an open session are those that bind next. */
function sessionsFirst(lines: QuotaLine[]): QuotaLine[] {
  const own = (line: QuotaLine) => line.scope === 'session';
  return [...lines.filter(own), ...lines.filter(line => !own(line))];
}

/** True when measure, who and when name another quota as well, so that only the id tells them apart. */
function isTwin(line: QuotaLine, lines: QuotaLine[]): boolean {
  return lines.filter(other => quotaLabel(other) === quotaLabel(line)).length > 1;
}

interface BudgetProps {
  line: QuotaLine;
  /** Another quota has the same title: the id is shown too. */
  twin: boolean;
  now: number;
}

function Budget({ line, twin, now }: BudgetProps) {
  const title = quotaLabel(line);
  const spoken = twin ? `${title}, ${line.quota}` : title;
  const share = quotaShare(line);
  const figures = `${amount(line.used, line.unit)} of ${amount(line.limit, line.unit)}`;
  const held = Number(line.reserved) > 0 ? `${amount(line.reserved, line.unit)} held by running jobs` : '';
  const left = `${amount(line.left, line.unit)} left`;
  return (
    <li className="qpm-Budget">
      <b title={`Quota ${line.quota}${line.owner && `, owner ${line.owner}`}`}>{title}</b>
      {twin && <code className="qpm-Budget-id">{line.quota}</code>}
      <div className="qpm-num">{figures}</div>
      <Meter used={share.used} reserved={share.reserved} tight={share.tight} label={`${spoken}: ${figures}, ${left}`} />
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

export const budgets: Panel = { id: 'qpm-lab-budgets', title: 'Budgets', share: 2, Component: Budgets };
