// Who saw a host and when, what indicators match it, and what people changed.
import { useState } from "react";

import { Button } from "@mantine/core";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { ScanLink, type Detail } from "./Host";

/** Seen lists the looks of scanners at it, newest first. */
export function Seen({ host }: { host: Detail }) {
  const [all, setAll] = useState(false);
  const looks = all ? host.scans : host.scans.slice(0, 6);
  return (
    <Panel title="Seen by" flush>
      {host.scans.length === 0 && <p className="panel-body dim">No scan has looked at it.</p>}
      <ul className="host-lines">{looks.map((s) => <li key={s.scan_id + s.scanner}><Inert text={s.scanner} /> <span className="dim">in</span> <ScanLink id={s.scan_id} /> <span className="dim host-right"><When at={s.at} /></span></li>)}</ul>
      {host.scans.length > looks.length && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(host.scans.length, "look")}</Button></div>}
    </Panel>
  );
}

/** Indicators are what threat feeds say of its addresses and names; nothing is shown when they say nothing. */
export function Indicators({ host }: { host: Detail }) {
  if (host.indicators.length === 0) return null;
  return (
    <Panel title={`Named by threat feeds (${host.indicators.length})`} flush>
      <ul className="host-lines">
        {host.indicators.slice(0, 30).map((i) => (
          <li key={i.source + i.value + (i.port ?? "")}>
            <Inert text={i.value + (i.port ? ":" + i.port : "")} mono /> {i.expired ? <Chip tone="info">expired</Chip> : <Chip tone="critical">active</Chip>}
            <div className="dim host-small">{plain(i.threat ?? i.kind)}{i.malware && <>, <Inert text={i.malware} /></>} · {plain(i.source)}, confidence {i.confidence} %, last <When at={i.last_seen} /></div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const whats: Record<string, string> = { tags: "Tags", owner: "Owner", criticality: "Criticality", exposed: "Exposure", decree: "Findings ended" };

/** Lately is what people and rules said of it, newest first. */
export function Lately({ host }: { host: Detail }) {
  const [all, setAll] = useState(false);
  const lines = [...host.history].reverse();
  return (
    <Panel title="History" flush>
      {lines.length === 0 && <p className="panel-body dim">Nobody has said anything of it yet.</p>}
      <ul className="host-lines">
        {(all ? lines : lines.slice(0, 8)).map((h, i) => (
          <li key={i}>
            {whats[h.what] ?? <Inert text={h.what} />}: {h.from && <><s className="dim"><Inert text={h.from} /></s> </>}<Inert text={h.to ?? "nothing"} />
            <div className="dim host-small">{h.rule ? `rule ${h.rule}` : <Inert text={h.by ?? "PatchScout"} />}, <When at={h.at} />{h.note && <>: <Inert text={h.note} /></>}</div>
          </li>
        ))}
      </ul>
      {lines.length > 8 && !all && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(lines.length, "change")}</Button></div>}
    </Panel>
  );
}
