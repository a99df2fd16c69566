import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Schema } from "../../api/client";
import { Decision } from "../../ui/words";
import { headline } from "./headline";

type Props = { today: Schema<"Today"> };

/** Headline is what is to be done now, in plain words; its numbers lead to what they count. */
export function Headline({ today }: Props) {
  return (
    <p className="today-headline">
      {headline(today).map((w, i) => (w.filter ? <Link key={i} to="/findings" search={w.filter}>{w.text}</Link> : <span key={i}>{w.text}</span>))}
    </p>
  );
}

const terms: Record<string, string> = { act: "within 3 days", attend: "within 14 days", plan: "within 60 days", track: "with the next upgrade" };

/** Decisions counts what is open by what to do about it, overdue first. */
export function Decisions({ today }: Props) {
  const { by_decision } = today.counts;
  return (
    <ul className="today-decisions" aria-label="Open findings by decision">
      <Cell n={today.overdue} search={{ overdue: true }} head={<Overdue n={today.overdue} />} term="past their due date" />
      {Object.entries(terms).map(([decision, term]) => (
        <Cell key={decision} n={by_decision[decision] ?? 0} search={{ decision }} head={<Decision value={decision} />} term={term} />
      ))}
    </ul>
  );
}

function Cell({ n, search, head, term }: { n: number; search: Record<string, unknown>; head: ReactNode; term: string }) {
  return (
    <li>
      <Link to="/findings" search={search}>
        {head}
        <span className="today-number num">{n.toLocaleString()}<span className="sr"> {n === 1 ? "finding" : "findings"},</span></span>
        <span className="dim today-term">{term}</span>
      </Link>
    </li>
  );
}

/** Overdue wears the colour of urgency only while something is. */
function Overdue({ n }: { n: number }) {
  return (
    <span className="chip" data-tone={n > 0 ? "critical" : "info"}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.9" fill="none" stroke="currentColor" strokeWidth="1.6" /><path d="M6 3v3.3l2.2 1.3" fill="none" stroke="currentColor" strokeWidth="1.5" /></svg>
      Overdue
    </span>
  );
}
