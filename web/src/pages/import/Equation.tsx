// The ledger as an equation that visibly adds up.
import { Link } from "@tanstack/react-router";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { sums, type Counted } from "./ledger";

type Term = { n: number; name: string; says: string; sign?: string; to?: number };

export function Equation({ counted, scan, running }: { counted: Counted; scan: number | null; running?: boolean }) {
  const { read, kept, even } = sums(counted);
  const findings = (n: number) => (scan !== null && n > 0 ? scan : undefined);
  const left: Term[] = [
    { n: counted.records, name: counted.records === 1 ? "record" : "records", says: "what the report has: a port, a result, an item, a component" },
    { n: counted.expanded, name: "more", says: "further findings, of records that name several CVEs", sign: "+" },
  ];
  const right: Term[] = [
    { n: counted.new, name: "new", says: "findings that nobody saw before", to: findings(counted.new) },
    { n: counted.merged, name: "merged", says: "evidence for findings that were known", sign: "+", to: findings(counted.merged) },
    { n: counted.informational, name: "informational", says: "understood, and no weakness", sign: "+" },
    { n: counted.dropped, name: "dropped", says: "left out, each for a reason", sign: "+" },
  ];
  return (
    <div className="equation" role="group" aria-label="Ledger">
      <div className="side-of">{left.map((t) => <Show key={t.name} term={t} />)}</div>
      <span className="equals" role="img" aria-label="equals">=</span>
      <div className="side-of">{right.map((t) => <Show key={t.name} term={t} />)}</div>
      <p className="adds" data-even={even || running}>
        {running ? <span className="dim num">{read.toLocaleString()} read so far, {kept.toLocaleString()} accounted for</span>
          : even ? <><IconCheck size={15} aria-hidden="true" /> <span className="num">{read.toLocaleString()} = {kept.toLocaleString()}</span> <span className="dim">{read === 0 ? "The report has no records." : "Every record is accounted for."}</span></>
          : <><IconAlertTriangle size={15} aria-hidden="true" /> <span className="num">{read.toLocaleString()} is not {kept.toLocaleString()}</span> This is a mistake of PatchScout: please report it.</>}
      </p>
    </div>
  );
}

function Show({ term }: { term: Term }): ReactNode {
  const number = term.n.toLocaleString();
  return (
    <span className="joined">
      {term.sign && <span className="sign" aria-label="plus" role="img">{term.sign}</span>}
      <span className="term" title={term.says}>
        <b className="num">{term.to ? <Link to="/findings" search={{ scan: term.to, state: "all" }} aria-label={`${number} ${term.name}: show the findings`}>{number}</Link> : number}</b>
        <span>{term.name}</span>
      </span>
    </span>
  );
}

/** line is the equation in a row of a table. */
export function Line({ counted }: { counted: Counted }) {
  const parts = [[counted.new, "new"], [counted.merged, "merged"], [counted.informational, "informational"], [counted.dropped, "dropped"]] as const;
  return (
    <span className="num">
      {(counted.records + counted.expanded).toLocaleString()} = {parts.map(([n, word], i) => <span key={word} className={n ? "" : "dim"}>{i > 0 && " + "}<span className="nowrap">{n.toLocaleString()} {word}</span></span>)}
    </span>
  );
}
