// The question itself, as one quiet line: from where, to what, and what is assumed on the way.
import { Loader } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { Inert } from "../../ui/inert";
import { Pick } from "../../ui/pick";
import { FromPick, ToPick } from "./EndPick";
import type { Paths } from "./kinds";
import { usual, askOf, type Chosen } from "./search";
import type { Choose } from "./Ways";
import { goalsOf } from "./words";

type Props = { doc: Paths; chosen: Chosen; choose: Choose; busy: boolean };

export function Scenario({ doc, chosen, choose, busy }: Props) {
  const set = (change: Partial<Chosen>) => choose({ path: "", step: 0, ...change });
  const reached = (assume: "site" | "flat") => (doc.scenario.assume === assume ? doc.totals.jewels_reached : doc.scenario.other_reached);
  const of = goalsOf(doc, chosen.to) === "any" ? "hosts" : "jewels";
  return (
    <div className="pa-scenario" role="group" aria-label="Scenario">
      <span className="pa-end"><span className="dim">From</span> <FromPick doc={doc} value={chosen.from} set={(from) => set({ from })} /></span>
      <span className="pa-end"><span className="dim">to</span> <ToPick doc={doc} value={chosen.to} set={(to) => set({ to })} /></span>
      <div className="pa-assume" role="group" aria-label="Between sites, where no rule says anything">
        {(["site", "flat"] as const).map((a) => (
          <button key={a} type="button" aria-pressed={chosen.assume === a} onClick={() => set({ assume: a })} title={a === "site" ? "Where no rule says anything, a site reaches only itself" : "Where no rule says anything, every site reaches every other"}>
            {a === "site" ? "Sites apart" : "Sites open"} <span className="num pa-count">{reached(a).toLocaleString()}<span className="sr"> {of} reached</span></span>
          </button>
        ))}
      </div>
      <Pick on={chosen.reuse} set={(reuse) => set({ reuse })} title="What if an administrator's credentials of one host work on the others of its site">Credentials reused</Pick>
      <Pick on={chosen.secrets} set={(secrets) => set({ secrets })} title="What if what can be read holds a login">Secrets read</Pick>
      {chosen.scan > 0 && <span className="pa-end">only what <Link to="/scans/$id" params={{ id: String(chosen.scan) }}>scan {chosen.scan}</Link> saw</span>}
      {!usual(askOf(chosen)) && <button type="button" className="pa-link" onClick={() => set({ from: [], to: [], assume: "site", reuse: false, secrets: false, scan: 0 })}>As usual</button>}
      {busy && <span role="status" className="pa-busy"><Loader size={14} aria-hidden="true" /><span className="sr">Working it out</span></span>}
    </div>
  );
}

/** EntryNames are the names of where an attacker begins. */
export function EntryNames({ doc }: { doc: Paths }) {
  const { entries } = doc.scenario;
  if (entries.length === 0) return <>nowhere</>;
  if (entries.length > 2) return <><Inert text={entries[0]!.name} /> and {entries.length - 1} more</>;
  return <>{entries.map((e, i) => <span key={e.ref}>{i > 0 && " and "}<Inert text={e.name} /></span>)}</>;
}
