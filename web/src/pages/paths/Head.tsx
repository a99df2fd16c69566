// How it stands in one sentence, what the answer assumes, and the ways to look at it.
import { IconInfoCircle } from "@tabler/icons-react";

import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { When } from "../../ui/when";
import type { Paths } from "./kinds";
import { Scenario } from "./Scenario";
import type { Chosen } from "./search";
import type { Choose } from "./Ways";
import { goalsOf, headline, likeliest, type Words } from "./words";

type Props = { doc: Paths; chosen: Chosen; choose: Choose; busy: boolean };

export function Head({ doc, chosen, choose, busy }: Props) {
  const go = (to: Words["goes"]) => {
    if (to === "likeliest") choose({ path: likeliest(doc.paths)?.id ?? "", step: 0 });
    else choose({ view: "jewels", path: "", step: 0 });
  };
  return (
    <div className="pa-head">
      <p className="pa-headline" role="status">
        {headline(doc, goalsOf(doc, chosen.to)).map((w, i) => (w.goes ? <button key={i} type="button" className="pa-link" onClick={() => go(w.goes)}>{w.text}</button> : <span key={i}><Inert text={w.text} /></span>))}
      </p>
      <Scenario doc={doc} chosen={chosen} choose={choose} busy={busy} />
      <Notices doc={doc} />
    </div>
  );
}

/** Notices says what is assumed: the first in full, the others behind it. */
function Notices({ doc }: { doc: Paths }) {
  const all = [...(doc.complete ? [] : [`Not everything was worked out: ${doc.incomplete ?? "the time for it ended"}.`]), ...doc.notices];
  if (all.length === 0) return null;
  const facts = (
    <p className="dim">
      {count(doc.totals.facts, "fact")} and {count(doc.totals.actions, "action")} of {count(doc.totals.hosts, "host")}, {doc.scenario.policy_rules > 0 ? count(doc.scenario.policy_rules, "declared rule") : "no declared rules"}
      {doc.scenario.corrections > 0 && <>, {count(doc.scenario.corrections, "corrected edge")}</>}; worked out <When at={doc.at} />.
    </p>
  );
  return (
    <details className="pa-notices" data-bad={!doc.complete || undefined}>
      <summary>
        <IconInfoCircle size={15} stroke={1.8} aria-hidden="true" />
        <span className="pa-first"><Inert text={all[0]} /></span>
        <span className="pa-and">{all.length > 1 ? `and ${all.length - 1} more` : "more"}</span>
      </summary>
      <ul>{all.map((n, i) => <li key={i}><Inert text={n} /></li>)}</ul>
      {facts}
    </details>
  );
}
