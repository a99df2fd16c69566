// The columns of hosts.
import { Link } from "@tanstack/react-router";

import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import type { Column } from "../../ui/rows";
import { When } from "../../ui/when";
import { Chip, Decision, KEV, SeverityBar } from "../../ui/words";
import { titleOf } from "./Host";
import type { Host } from "./Hosts";

function Names({ host }: { host: Host }) {
  const names = host.hostnames.filter((n) => n !== titleOf(host));
  if (names.length === 0) return null;
  return <span className="dim host-small cut" style={{ display: "block" }} title={names.map(plain).join("\n")}><Inert text={names[0]} />{names.length > 1 && ` +${names.length - 1}`}</span>;
}

function Tags({ tags }: { tags: string[] }) {
  if (tags.length === 0) return <Missing why="no tags" />;
  return <span className="assets-tags" title={tags.map(plain).join(", ")}>{tags.slice(0, 3).map((t) => <Chip key={t} tone="info"><Inert text={t} /></Chip>)}{tags.length > 3 && <span className="dim">+{tags.length - 3}</span>}</span>;
}

const exposure = (exposed: boolean | null) => (exposed === null ? <Missing why="nobody said: it follows from its addresses and its site" /> : exposed ? "yes" : "no");

const sum = (h: Host) => Object.values(h.findings).reduce((a, b) => a + b, 0);

function Open({ host }: { host: Host }) {
  const n = sum(host);
  if (n === 0) return <span className="dim">none</span>;
  return (
    <span className="assets-open">
      <Link to="/findings" search={{ host: String(host.id) } as never} className="num" aria-label={count(n, "open finding")}>{n.toLocaleString()}</Link>
      <SeverityBar counts={host.findings as unknown as Record<string, number>} />
    </span>
  );
}

export const hostColumns: Column<Host>[] = [
  {
    key: "host", name: "Host", width: "18%", sort: "address",
    cell: (h) => (
      <>
        <Link to="/assets/$id" params={{ id: String(h.id) }}><Inert text={titleOf(h)} /></Link>
        <Names host={h} />
        <span className="rows-second">{h.decision && <Decision value={h.decision} />}{(h.kev ?? 0) > 0 && <KEV />}<Link to="/findings" search={{ host: String(h.id) } as never}>{count(sum(h), "finding")}</Link>{h.os && <span className="dim"><Inert text={h.os} /></span>}{h.owner && <Inert text={h.owner} />}{h.tags.length > 0 && <Tags tags={h.tags} />}<span className="dim"><When at={h.last_seen} /></span></span>
      </>
    ),
  },
  { key: "open", name: "Open findings", width: "148px", away: "small", cell: (h) => <Open host={h} /> },
  { key: "decision", name: "Most urgent", width: "142px", away: "small", sort: "urgency", cell: (h) => (h.decision || h.kev ? <span className="picks"><Decision value={h.decision} />{(h.kev ?? 0) > 0 && <KEV />}</span> : <Missing why="nothing is open" />) },
  { key: "os", name: "System", away: "middle", cell: (h) => (h.os ? <span className="rows-two"><Inert text={h.os} /></span> : <Missing />) },
  { key: "site", name: "Site", width: "100px", away: "large", cell: (h) => <Inert text={h.site} cut /> },
  { key: "owner", name: "Owner", width: "11%", away: "small", cell: (h) => (h.owner ? <Inert text={h.owner} cut /> : <Missing why="nobody said" />) },
  { key: "tags", name: "Tags", width: "14%", away: "middle", cell: (h) => <Tags tags={h.tags} /> },
  { key: "criticality", name: "Criticality", width: "92px", away: "large", cell: (h) => h.criticality ?? <Missing why="nobody said" /> },
  { key: "exposed", name: "Exposed", width: "90px", away: "large", cell: (h) => exposure(h.exposed) },
  { key: "services", name: "Services", width: "92px", right: true, away: "large", cell: (h) => (h.services.length > 0 ? <span className="num" title={h.services.map((s) => `${s.port}/${plain(s.protocol)} ${plain(s.product ?? s.service ?? "")}`).slice(0, 20).join("\n")}>{h.services.length}<span className="sr"> {count(h.services.length, "service")}</span></span> : <Missing why="none is named" />) },
  { key: "seen", name: "Last seen", width: "112px", right: true, away: "small", sort: "last_seen", cell: (h) => <When at={h.last_seen} /> },
];
