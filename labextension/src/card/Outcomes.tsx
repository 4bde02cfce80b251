import { useState } from 'react';

import { confidence, count, counted, percent, percentRange } from '../format';
import type { Outcome, Outcomes } from '../record';
import { Key } from './Key';

const FIRST = 8;
/** So many more are drawn at once rather than hidden behind a click. */
const SLACK = 2;

/** Bars with their simultaneous intervals; a real table, so that a screen reader gets every figure. */
export function OutcomeTable({ outcomes }: { outcomes: Outcomes }) {
  const [all, setAll] = useState(false);
  const { shown } = outcomes;
  const folds = shown.length > FIRST + SLACK;
  const rows = all || !folds ? shown : shown.slice(0, FIRST);
  const full = Math.max(...shown.map(outcome => Math.max(outcome.share, outcome.high ?? 0)), 0) || 1;
  const heading = headingOf(outcomes);
  return (
    <div>
      <h4 title={outcomes.method}>{heading}</h4>
      <table className="qpm-Bars">
        <caption className="qpm-spoken">{heading}</caption>
        <thead className="qpm-spoken">
          <tr>
            <th scope="col">Outcome</th>
            <th scope="col">Interval</th>
            <th scope="col">Share</th>
            <th scope="col">Shots</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(outcome => (
            <Row key={outcome.key} outcome={outcome} full={full} />
          ))}
        </tbody>
      </table>
      <p className="qpm-quiet qpm-num">
        {left(outcomes, rows)}{' '}
        {folds && (
          <button type="button" className="qpm-Link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : outcomes.hidden.outcomes > 0 ? `Show ${shown.length}` : 'Show all'}
          </button>
        )}
      </p>
    </div>
  );
}

function headingOf({ shown, level }: Outcomes): string {
  const bounded = level !== null && shown.some(outcome => outcome.low !== null);
  return bounded ? `Outcomes, with ${confidence(level)} intervals for all at once` : 'Outcomes';
}

function left({ shown, hidden }: Outcomes, rows: Outcome[]): string {
  const many = hidden.outcomes + shown.length - rows.length;
  if (many <= 0) {
    return '';
  }
  const share = hidden.share + shown.slice(rows.length).reduce((sum, outcome) => sum + outcome.share, 0);
  return `${counted(many, 'more outcome')}, ${percent(share)}${many > 1 ? ' together' : ''}.`;
}

function Row({ outcome, full }: { outcome: Outcome; full: number }) {
  const { key, share, low, high } = outcome;
  const between = percentRange(low, high);
  return (
    <tr title={`${key}: ${counted(outcome.count, 'shot')}, ${percent(share)}, interval ${between}`}>
      <th scope="row" aria-label={key}>
        <Key text={key} />
      </th>
      <td className="qpm-Bars-draw">
        <span className="qpm-Track" aria-hidden="true">
          <span className="qpm-Track-fill" style={{ width: pc(share / full) }} />
          {low !== null && high !== null && (
            <span className="qpm-Track-whisker" style={{ left: pc(low / full), width: pc((high - low) / full) }} />
          )}
        </span>
        <span className="qpm-spoken">{between}</span>
      </td>
      <td className="qpm-num qpm-quiet">{percent(share)}</td>
      <td>
        <span className="qpm-spoken">{count(outcome.count)}</span>
      </td>
    </tr>
  );
}

function pc(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
}
