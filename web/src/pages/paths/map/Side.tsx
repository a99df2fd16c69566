// One node of the map: how it stands, who is in it, what leads to it and what it exposes.
import { CloseButton } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { api } from "../../../api/client";
import { Inert } from "../../../ui/inert";
import { count, percent } from "../../../ui/numbers";
import { Facts } from "../../../ui/page";
import { Pick } from "../../../ui/pick";
import { Failure, Loading } from "../../../ui/states";
import { queryOf, type Ask } from "../search";
import type { PathMap, PathNode, PathReach } from "./kinds";
import type { Direction } from "./search";
import { findingsOf } from "./sight";
import { likeOf, nameOf, privilegeWord } from "./words";

/** useReach asks what one host exposes, or what leads to it. */
export const useReach = (ask: Ask, host: number | null, way: Direction) => useQuery({
  queryKey: ["get", "/api/v1/attack-paths/hosts/{host_id}", host, way, ask],
  queryFn: async ({ signal }) => {
    const { to: _, ...rest } = queryOf(ask);
    return (await api.GET("/api/v1/attack-paths/hosts/{host_id}", { params: { path: { host_id: host! }, query: { ...rest, direction: way || undefined, limit: 200 } }, signal })).data!;
  },
  staleTime: 30_000,
  enabled: host !== null && way !== "",
});

type Props = { map: PathMap; node: PathNode; way: Direction; reach: ReturnType<typeof useReach>; setWay: (way: Direction) => void; show: (host: number) => void; onMap: (host: number) => boolean; close: () => void; ask: Ask };

export function Side({ map, node, way, reach, setWay, show, onMap, close, ask }: Props) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus({ preventScroll: window.innerWidth > 1100 }), [node.id]);
  const host = hostOf(node);
  return (
    <aside className="pm-side" aria-label="Chosen on the map" onKeyDown={(e) => e.key === "Escape" && close()}>
      <header>
        <h2 ref={head} tabIndex={-1}>{node.kind === "site" && "Site "}<Inert text={nameOf(node)} /></h2>
        <CloseButton aria-label="Close" onClick={close} />
      </header>
      <Facts rows={factsOf(map, node)} />
      {node.host_id !== null && (
        <p className="pm-goes"><Link to="/assets/$id" params={{ id: String(node.host_id) }}>The host</Link> <Link to="/findings" search={{ host: node.name, sort: "risk_removed" } as never}>Its findings</Link> <Link to="/paths" search={{ ...onward(ask), to: String(node.host_id) } as never}>Paths to here</Link> <Link to="/paths" search={{ ...onward({ ...ask, from: [] }), from: `host:${node.host_id}` } as never}>Paths from here</Link></p>
      )}
      {node.kind === "site" && <p className="pm-goes"><Link to="/assets" search={{ site: node.name }}>Its hosts</Link> <Link to="/paths" search={{ ...onward({ ...ask, from: [] }), from: node.id } as never}>Paths from inside</Link></p>}
      {node.kind === "entry" && <p className="dim">Attackers are taken to begin here. The tab “Paths” says what is assumed, and lets you begin elsewhere.</p>}
      {node.kind === "group" && <Members node={node} />}
      {host !== null && (
        <>
          <div className="picks" role="group" aria-label={node.kind === "group" ? `Of ${likeOf(node)}, which is like the others` : "Of this host"}>
            <Pick on={way === "forward"} set={(on) => setWay(on ? "forward" : "")}>What does it expose?</Pick>
            <Pick on={way === "backward"} set={(on) => setWay(on ? "backward" : "")}>What leads to it?</Pick>
          </div>
          {way !== "" && <Reached reach={reach} way={way} show={show} onMap={onMap} />}
        </>
      )}
    </aside>
  );
}

const onward = ({ assume, reuse, secrets, scan, from }: Ask) => ({ assume: assume === "flat" ? assume : undefined, reuse: reuse || undefined, secrets: secrets || undefined, scan: scan || undefined, from: from.length > 0 ? from.join(",") : undefined });

/** hostOf is the host for which a node is asked about: of a group its first, which is like the others. */
export const hostOf = (n: PathNode): number | null => n.host_id ?? n.members[0] ?? null;

function factsOf(map: PathMap, n: PathNode): Parameters<typeof Facts>[0]["rows"] {
  if (n.kind === "entry") return [["Is", "where the attacker begins"]];
  if (n.kind === "site") {
    const hosts = map.nodes.filter((x) => x.kind !== "site" && x.site === n.site);
    return [["Hosts", n.hosts.toLocaleString()], ["Reached", hosts.reduce((all, x) => all + (x.reached ? x.hosts : 0), 0).toLocaleString()], ["Jewels", hosts.filter((x) => x.jewel).length.toLocaleString()]];
  }
  const findings = findingsOf(map, n.id);
  return [
    ["Site", <Inert key="s" text={n.site} />],
    ...(n.jewel ? [["Is", "a jewel"] as [string, string]] : []),
    ["Falls by", n.reached ? <span key="c" className="num">{percent(n.chance)}{n.kind === "group" && " at most"}</span> : "not reached"],
    ...(n.reached ? [["Attacker is", privilegeWord(n.privilege)] as [string, string]] : []),
    ["Let him in", findings > 0 ? count(findings, "finding") : "no finding"],
  ];
}

function Members({ node }: { node: PathNode }) {
  const [open, setOpen] = useState(node.hosts <= 12);
  return (
    <details className="pm-members" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{count(node.hosts, "host")} alike in what is open on them and what is wrong with them</summary>
      {open && <MemberNames ids={node.members} />}
      {node.hosts > node.members.length && <p className="dim">The first {node.members.length} are named. <Link to="/assets" search={{ site: node.site } as never}>All hosts of the site</Link></p>}
    </details>
  );
}

const some = 10;

/** MemberNames asks for names a few at a time: most people look at the first. */
function MemberNames({ ids }: { ids: readonly number[] }) {
  const [most, setMost] = useState(some);
  const hosts = useQueries({
    queries: ids.slice(0, most).map((id) => ({
      queryKey: ["get", "/api/v1/assets/{id}", { params: { path: { id } } }], staleTime: 60_000,
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await api.GET("/api/v1/assets/{id}", { params: { path: { id } }, signal })).data!,
    })),
  });
  return (
    <>
      <ul className="pm-hosts" aria-busy={hosts.some((h) => h.isPending) || undefined}>
        {hosts.map(({ data }, i) => (
          <li key={ids[i]}><Link to="/assets/$id" params={{ id: String(ids[i]) }}>{data ? <Inert text={data.address ?? data.hostnames[0] ?? `Host ${ids[i]}`} /> : `Host ${ids[i]}`}</Link>{data?.address && data.hostnames[0] && <span className="dim"> <Inert text={data.hostnames[0]} /></span>}</li>
        ))}
      </ul>
      {ids.length > most && <button type="button" className="pa-link" onClick={() => setMost(most + 20)}>{Math.min(20, ids.length - most)} more</button>}
    </>
  );
}

function Reached({ reach, way, show, onMap }: { reach: Props["reach"]; way: Direction; show: (host: number) => void; onMap: (host: number) => boolean }) {
  const [all, setAll] = useState(false);
  if (reach.isError) return <Failure error={reach.error} what="the answer" retry={() => void reach.refetch()} />;
  if (!reach.data) return <Loading rows={5} height={14} label="Working it out" />;
  const doc: PathReach = reach.data;
  const hosts = all ? doc.hosts : doc.hosts.slice(0, 15);
  const say = way === "forward" ? (doc.total === 0 ? "Who holds it can take nothing further from it." : `Who holds it can take ${count(doc.total, "host")} from it.`) : doc.total === 0 ? "Nothing leads to it." : `From ${count(doc.total, "host")} somebody who holds them can get to it.`;
  return (
    <section className="pm-reached" aria-live="polite">
      <p>{say}</p>
      <ol>
        {hosts.map((h) => (
          <li key={h.id}>
            {onMap(h.id) ? <button type="button" className="pa-link" onClick={() => show(h.id)}><Inert text={h.name} /></button> : <Link to="/assets/$id" params={{ id: String(h.id) }}><Inert text={h.name} /></Link>}
            <span className="dim cut"><Inert text={h.site} />{h.jewel && ", jewel"}</span>
            <span className="num">{percent(h.chance)}</span>
          </li>
        ))}
      </ol>
      {hosts.length < doc.hosts.length && <button type="button" className="pa-link" onClick={() => setAll(true)}>{doc.hosts.length - hosts.length} more</button>}
      {all && doc.total > doc.hosts.length && <p className="dim">the {doc.hosts.length} likeliest are listed</p>}
    </section>
  );
}
