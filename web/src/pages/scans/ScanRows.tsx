// The table of scans: fewer columns on narrow screens, where what they say stands below the targets.
import { Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { State } from "../../ui/words";
import { took, When } from "../../ui/when";
import type { Status } from "./live";
import { over } from "./live";
import { nameOf, seconds, stateOf } from "./words";

export function ScanRows({ rows, pick, compare }: { rows: Status[]; pick: number; compare: (id: number) => void }) {
  const fresh = rows.some((s) => s.new_findings !== null); // only with a baseline: most have none
  return (
    <table className="table">
      <caption className="sr">Scans, newest first</caption>
      <thead>
        <tr>
          <th scope="col" className="wide-only" style={{ width: 34 }}><span className="sr">Compare</span></th>
          <th scope="col">Targets</th>
          <th scope="col">Status</th>
          <th scope="col" className="wide-only">Site</th>
          <th scope="col" className="wide-only">Scanners</th>
          <th scope="col" className="wider-only">By</th>
          <th scope="col" className="wide-only">Began</th>
          <th scope="col" className="num wide-only">Took</th>
          <th scope="col" className="num wide-only">Hosts</th>
          <th scope="col" className="num">Findings</th>
          {fresh && <th scope="col" className="num wide-only">New</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((s) => <Row key={s.id} scan={s} picked={pick === s.id} compare={compare} fresh={fresh} />)}
      </tbody>
    </table>
  );
}

function Row({ scan, picked, compare, fresh }: { scan: Status; picked: boolean; compare: (id: number) => void; fresh: boolean }) {
  const id = String(scan.id);
  const to = scan.kind === "import" ? "/import/$id" : "/scans/$id";
  const lasted = seconds(scan);
  return (
    <tr>
      <td className="wide-only">
        {scan.kind === "scan" && over(scan) && <Checkbox size="xs" checked={picked} onChange={() => compare(scan.id)} aria-label={`Compare scan ${id}`} />}
      </td>
      <td>
        <Link to={to} params={{ id }} className="rowlink"><Inert text={nameOf(scan)} /></Link>
        <div className="dim wide-only">{scan.kind === "import" ? "Import" : "Scan"} {id}{scan.scan_type ? `, ${scan.scan_type}` : ""}</div>
        <div className="dim narrow-only"><When at={scan.started_at ?? scan.created_at} />{lasted !== null && over(scan) ? `, took ${took(lasted)}` : ""}, <Inert text={scan.by} /></div>
      </td>
      <td><Standing scan={scan} /></td>
      <td className="wide-only short"><Inert text={scan.site} /></td>
      <td className="wide-only">{scan.scanners.length ? scan.scanners.map((x) => x.name).join(", ") : <Missing why="none has begun" />}</td>
      <td className="wider-only short"><Inert text={scan.by} /></td>
      <td className="wide-only"><When at={scan.started_at ?? scan.created_at} /></td>
      <td className="num wide-only nowrap">{lasted === null ? <Missing why="it has not begun" /> : took(lasted)}</td>
      <td className="num wide-only"><Link to={to} params={{ id }} search={scan.kind === "scan" ? { tab: "hosts" } : {}} aria-label={count(scan.hosts, "host")}>{scan.hosts.toLocaleString()}</Link></td>
      <td className="num"><Link to="/findings" search={{ scan: scan.id }} aria-label={count(scan.findings, "finding")}>{scan.findings.toLocaleString()}</Link></td>
      {fresh && <td className="num wide-only">{scan.new_findings === null ? <Missing why="it was compared with no other scan" /> : scan.new_findings.toLocaleString()}</td>}
    </tr>
  );
}

function Standing({ scan }: { scan: Status }) {
  const state = stateOf(scan);
  return (
    <>
      <State value={state} />
      {scan.status === "running" && (
        <div className="nowrap dim">
          <div className="meter" aria-hidden="true"><span style={{ width: `${scan.progress}%` }} /></div>
          {Math.floor(scan.progress)} %
        </div>
      )}
      {state === "failed" && scan.reason && <div className="dim wide-only"><Inert text={scan.reason} /></div>}
    </>
  );
}
