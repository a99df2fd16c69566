// Single fixes, ranked by how much less of what matters would fall.
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Empty, Failure, Loading } from "../../ui/states";
import { isOn, withFixes, withPatch } from "./fixing";
import type { Fix, PathFixes } from "./kinds";
import { HostName } from "./parts";
import type { Look } from "./Ways";

export function FixRows({ fixes, look }: { fixes: UseQueryResult<PathFixes>; look: Look }) {
  const { data } = fixes;
  if (!data) return fixes.isError ? <Failure error={fixes.error} what="the fixes" retry={() => void fixes.refetch()} /> : <Loading rows={8} label="Ranking fixes" />;
  if (data.ranked.length === 0) return <Empty title="No single fix makes a difference">Every way that is cut by one fix has another beside it. Take the smallest set instead, below.</Empty>;
  const most = Math.max(...data.ranked.map((f) => f.risk_removed ?? 0));
  return (
    <div className="scroll-x">
      <table className="table pa-fixes" aria-label="Fixes by the risk that they remove">
        <thead>
          <tr>
            <th scope="col"><span className="sr">Try it</span></th>
            <th scope="col">Fix</th>
            <th scope="col">On</th>
            <th scope="col" className="right" title="of the paths that are listed, those that it alone ends">Ends</th>
            <th scope="col" title="the expected drop in the weight of jewels that fall">Risk removed</th>
          </tr>
        </thead>
        <tbody>{data.ranked.map((f) => <Line key={f.finding_id ?? f.weakness} fix={f} look={look} most={most} />)}</tbody>
      </table>
      {!data.complete && <p className="pa-more dim"><Inert text={data.incomplete ?? "There may be more."} /></p>}
    </div>
  );
}

function Line({ fix, look, most }: { fix: Fix; look: Look; most: number }) {
  const on = isOn(look.ticks, fix);
  const set = (yes: boolean) => look.tick(fix.finding_id === null ? withPatch(look.ticks, fix.weakness, yes) : withFixes(look.ticks, [fix.finding_id], yes));
  const does = fix.do ?? fix.title;
  return (
    <tr>
      <td><label className="pa-tick"><input type="checkbox" checked={on} onChange={(e) => set(e.currentTarget.checked)} /><span className="sr">Try it: {plain(fix.weakness)} on {plain(fix.host?.name ?? "every host")}</span></label></td>
      <td>
        {fix.finding_id === null ? <Inert text={fix.weakness} /> : <Link to="/findings/$id" params={{ id: String(fix.finding_id) }}><Inert text={fix.weakness} /></Link>}
        {does && <div className="dim pa-small"><Inert text={does} /></div>}
      </td>
      <td>{fix.host ? <HostName host={fix.host} link /> : "every host"}</td>
      <td className={`right num nowrap${fix.cuts === 0 ? " dim" : ""}`}>{count(fix.cuts, "path")}</td>
      <td>
        {fix.risk_removed === null ? <Missing why="not worked out" /> : (
          <span className="pa-share" title={`expected drop in the weight of jewels that fall: ${fix.risk_removed.toFixed(3)}`}>
            <span className="num">{fix.risk_removed.toFixed(2)}</span>
            <span className="pa-share-bar" aria-hidden="true"><span style={{ width: `${most > 0 ? (100 * fix.risk_removed) / most : 0}%` }} /></span>
          </span>
        )}
      </td>
    </tr>
  );
}
