// There is no path: because nothing is known yet, or because nothing leads from there to there.
import { Button } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Empty } from "../../ui/states";
import type { Paths } from "./kinds";
import { NoJewel } from "./NoJewel";
import { askOf, usual, type Chosen } from "./search";
import type { Choose } from "./Ways";
import { fromWords, goalsOf } from "./words";

type Props = { doc: Paths; chosen: Chosen; choose: Choose };

export function Nothing({ doc, chosen, choose }: Props) {
  const may = useMay("analyst");
  if (doc.totals.hosts === 0)
    return (
      <div className="panel">
        <Empty title="Nothing is known of the network yet" action={may && <div style={{ display: "flex", gap: 8 }}><Button component={Link} to="/scans" search={{ start: true } as never}>Start a scan</Button><Button component={Link} to="/import" variant="default">Import a report</Button></div>}>
          Paths are made of hosts, of what answers on them, and of their confirmed findings. Scan the network, or import the report of another scanner.
        </Empty>
      </div>
    );
  const goals = goalsOf(doc, chosen.to);
  const other = doc.scenario.other_reached;
  return (
    <>
      {goals === "any" && <NoJewel />}
      <div className="panel">
        <Empty
          icon={<IconShieldCheck size={30} stroke={1.4} aria-hidden="true" />}
          title={goals === "any" ? `No host can be taken${fromWords(doc)}` : `No path leads${fromWords(doc)} to ${goals === "jewels" ? (doc.totals.jewels === 1 ? "the jewel" : `the ${doc.totals.jewels} jewels`) : "there"}`}
          action={<Further doc={doc} chosen={chosen} choose={choose} />}
        >
          By what is known now, of {count(doc.totals.hosts, "host")}. {chosen.assume === "site" ? "Where no rule says anything, a site was taken to reach only itself" : "Where no rule says anything, sites were taken to reach each other"}
          {other > 0 ? <>; the other way, {count(other, goals === "any" ? "host" : "jewel")} can be reached.</> : <>; the other way it is the same.</>}
        </Empty>
      </div>
    </>
  );
}

function Further({ doc, chosen, choose }: Props) {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const inside = (sites.data?.sites ?? []).filter((s) => !s.external && !chosen.from.includes(`site:${s.name}`)).slice(0, 5);
  return (
    <div style={{ display: "grid", gap: 10, justifyItems: "center" }}>
      {inside.length > 0 && (
        <div className="picks" style={{ justifyContent: "center" }}>
          <span className="dim">What if somebody is already inside?</span>
          {inside.map((s) => <Button key={s.name} variant="default" size="compact-sm" onClick={() => choose({ from: [`site:${s.name}`] })}><span>Inside <Inert text={s.name} /></span></Button>)}
        </div>
      )}
      <div className="picks" style={{ justifyContent: "center" }}>
        {chosen.assume === "site" && doc.scenario.other_reached > 0 && <Button variant="default" size="compact-sm" onClick={() => choose({ assume: "flat" })}>With all sites open</Button>}
        {!usual(askOf(chosen)) && <Button variant="subtle" size="compact-sm" onClick={() => choose({ from: [], to: [], assume: "site", reuse: false, secrets: false, scan: 0 })}>As usual</Button>}
      </div>
    </div>
  );
}
