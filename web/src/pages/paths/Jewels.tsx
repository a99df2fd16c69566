// The paths by the jewels that they lead to: how likely each falls, what stands on every way, and the fewest fixes for it.
import { Button } from "@mantine/core";

import { count } from "../../ui/numbers";
import { ofSet, sameTicks } from "./fixing";
import type { Path, PathJewel, Paths } from "./kinds";
import { HostName, Share, Worth } from "./parts";
import { PathTable, Row } from "./PathRows";
import type { Look } from "./Ways";
import { boundsOf, estimateOf, type Goals } from "./words";

type Props = { doc: Paths; look: Look; open?: string; goals: Goals; fresh: readonly Path[] };

export function Jewels({ doc, look, open, goals, fresh }: Props) {
  const all = [...doc.paths, ...fresh];
  const away = doc.jewels.filter((j) => !j.reached);
  return (
    <PathTable label="Attack paths by the host that they lead to" look={look} open={open}>
      {doc.jewels.filter((j) => j.reached).map((j) => {
        const own = all.filter((p) => p.to.id === j.id);
        return [<JewelLine key={j.id} jewel={j} look={look} listed={own.length} />, ...own.map((p) => <Row key={p.id} path={p} look={look} open={open === p.id} fresh={fresh.includes(p)} />)];
      })}
      {away.length > 0 && goals !== "any" && (
        <li className="pa-between">Not reached: {away.slice(0, 12).map((j, i) => <span key={j.id}>{i > 0 && ", "}<HostName host={j} link /></span>)}{away.length > 12 && ` and ${away.length - 12} more`}</li>
      )}
    </PathTable>
  );
}

function JewelLine({ jewel, look, listed }: { jewel: PathJewel; look: Look; listed: number }) {
  const set = jewel.fixes;
  const ticks = set && ofSet(set);
  return (
    <li className="pa-jewel">
      <span className="pa-cell-chance" title={boundsOf(jewel.chance)}><Share value={estimateOf(jewel.chance)} /></span>
      <span className="pa-jewel-name"><h3><HostName host={jewel} link /></h3><Worth host={jewel} /><span className="dim">{jewel.site}, {jewel.why}</span></span>
      <span className="pa-jewel-facts dim">
        {listed < jewel.paths ? `${listed} of ${count(jewel.paths, "path")}` : count(listed, "path")}
        {jewel.chokes.length > 0 && <>; all lead over {jewel.chokes.slice(0, 3).map((c, i) => <span key={c.id}>{i > 0 && " and "}<HostName host={c} link /></span>)}</>}
      </span>
      {set && ticks && set.fixes.length > 0 && (
        <Button variant="default" size="compact-sm" disabled={sameTicks(ticks, look.ticks)} onClick={() => look.tick(ticks)}>{set.fixes.length === 1 ? "Tick the fix that ends all" : `Tick ${set.smallest ? "the " : ""}${set.fixes.length.toLocaleString()} fixes that end all`}</Button>
      )}
    </li>
  );
}
