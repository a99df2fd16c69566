// The whole estate as a map: sites from left to right by how far an attacker has come, with the best ways to jewels.
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { api } from "../../../api/client";
import { Inert } from "../../../ui/inert";
import { count } from "../../../ui/numbers";
import { Pick } from "../../../ui/pick";
import { Empty, Failure, Loading } from "../../../ui/states";
import { usePaths } from "../ask";
import { Scenario } from "../Scenario";
import { queryOf, type Ask } from "../search";
import { Canvas } from "./Canvas";
import type { Look, Picture } from "./draw";
import type { PathMap, PathNode } from "./kinds";
import "./map.css";
import { NodeList } from "./NodeList";
import { farOf, placedOf } from "./place";
import { useSeen } from "./search";
import { hostOf, Side, useReach } from "./Side";
import { countsOf, findingsOf, linesOf, matching, nodeOfHost, shownOf, shows, touching, type Show } from "./sight";

/** useMap asks for everything as a graph; while another scenario is worked out, the one before stays. */
const useMap = (ask: Ask) => useQuery({
  queryKey: ["get", "/api/v1/attack-paths/map", ask],
  queryFn: async ({ signal }) => (await api.GET("/api/v1/attack-paths/map", { params: { query: queryOf(ask) }, signal })).data!,
  staleTime: 30_000,
  placeholderData: keepPreviousData,
});

export function MapView() {
  const seen = useSeen();
  const map = useMap(seen.ask);
  const paths = usePaths(seen.ask);
  return (
    <div className="pa-page" aria-busy={map.isPlaceholderData || undefined}>
      {paths.data && <Scenario doc={paths.data} chosen={seen.chosen} choose={seen.choose} busy={map.isPlaceholderData} />}
      {map.data ? <Whole map={map.data} seen={seen} /> : map.isError ? <Failure error={map.error} what="the map" retry={() => void map.refetch()} /> : <Loading rows={9} label="Working out the map" />}
    </div>
  );
}

function Whole({ map, seen }: { map: PathMap; seen: ReturnType<typeof useSeen> }) {
  const { chosen, look, ask } = seen;
  const [aspect, setAspect] = useState(1.6);
  const picture = useRef<Picture | null>(null);
  const shown = useMemo(() => shownOf(map, chosen.show), [map, chosen.show]);
  const ids = useMemo(() => new Set(shown.map((n) => n.id)), [shown]);
  const scene = useMemo(() => ({ placed: placedOf(map, shown, Math.min(2.6, Math.max(0.6, Math.round(aspect * 5) / 5))), lines: linesOf(map, shown, farOf(map)) }), [map, shown, aspect]);
  const nodes = useMemo(() => new Map(map.nodes.map((n) => [n.id, n])), [map]);
  const open = nodes.get(chosen.node);
  const [moved, setMoved] = useState("");
  const [over, setOver] = useState("");
  const active = ids.has(moved) ? moved : (open?.id ?? "");
  const reach = useReach(ask, open ? hostOf(open) : null, chosen.way);
  const seenNow = useLook(map, ids, over || active, open?.id === active ? reach.data?.hosts : undefined);
  const listed = useMemo(() => matching(scene.placed.order, chosen.find), [scene, chosen.find]);
  useEffect(() => {
    if (chosen.node) picture.current?.fly(chosen.node);
  }, [chosen.node]);
  const pick = (id: string) => { setMoved(id); look({ node: id, way: id === chosen.node ? chosen.way : "" }, chosen.node !== "" && id !== ""); };
  const move = (id: string) => { setMoved(id); picture.current?.fly(id); };
  const show = (host: number) => { const n = nodeOfHost(map, host); if (n) { if (!ids.has(n.id)) look({ show: "all" }); pick(n.id); picture.current?.fly(n.id, true); } };
  const first = (text: string) => { const n = text.trim() === "" ? undefined : matching(scene.placed.order, text)[0]; if (n) { setMoved(n.id); look({ node: n.id, way: "", find: text }); picture.current?.fly(n.id, true); } };
  if (map.nodes.every((n) => n.hosts === 0)) return <div className="panel"><Empty title="Nothing is known of the network yet">The map is made of hosts and of what answers on them. Scan the network, or import the report of another scanner.</Empty></div>;
  return (
    <>
      <Bar map={map} show={chosen.show} set={(s) => look({ show: s })} />
      <div className="pm-body" data-open={open ? true : undefined}>
        <section className="pm-side-list" aria-label="The map as a list">
          <Find value={chosen.find} set={(find) => look({ find }, true)} enter={first} />
          <NodeList nodes={listed} active={active} open={open?.id ?? ""} move={move} pick={pick} />
        </section>
        <section className="pm-main" aria-label="The map">
          <Canvas scene={scene} look={seenNow} nodes={nodes} findings={(id) => findingsOf(map, id)} pick={pick} over={setOver} picture={picture} shape={setAspect} />
        </section>
        {open && <Side key={open.id} map={map} node={open} ask={ask} way={chosen.way} reach={reach} setWay={(way) => look({ way }, true)} show={show} onMap={(host) => nodeOfHost(map, host) !== undefined} close={() => { pick(""); document.querySelector<HTMLElement>(".pm-list")?.focus(); }} />}
      </div>
      <Notices map={map} />
    </>
  );
}

/** useLook is what the picture brings out: a node with all that it touches, or with what it exposes. */
function useLook(map: PathMap, ids: ReadonlySet<string>, id: string, reached?: { id: number }[]): Look {
  return useMemo(() => {
    if (id === "") return { active: "", lines: [], bright: null };
    const lines = touching(map, ids, id);
    const bright = new Set([id, ...lines.flatMap((l) => [l.from, l.to])]);
    for (const h of reached ?? []) { const n = nodeOfHost(map, h.id); if (n) bright.add(n.id); }
    return { active: id, lines, bright };
  }, [map, ids, id, reached]);
}

const names: Record<Show, string> = { all: "Everything", reached: "What is reached", ways: "Best ways to jewels" };

function Bar({ map, show, set }: { map: PathMap; show: Show; set: (show: Show) => void }) {
  const n = useMemo(() => countsOf(map), [map]);
  const much: Record<Show, number> = { all: n.hosts, reached: n.reached, ways: n.ways };
  return (
    <div className="pa-bar">
      <div className="picks" role="group" aria-label="What to show">{shows.map((s) => <Pick key={s} on={show === s} set={() => set(s)}>{names[s]} <span className="num dim">{much[s].toLocaleString()}</span></Pick>)}</div>
      <span className="dim num">{count(n.hosts, "host")}{map.folded > 0 && `, drawn as ${n.nodes.toLocaleString()}`}; {n.jewelsReached.toLocaleString()} of {count(n.jewels, "jewel")} reached</span>
    </div>
  );
}

function Find({ value, set, enter }: { value: string; set: (text: string) => void; enter: (text: string) => void }) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(set, 120);
  useEffect(() => setText(value), [value]);
  return <TextInput type="search" aria-label="Find on the map" placeholder="Find a host or a site  ( / )" data-filter value={text} maxLength={255} spellCheck={false} leftSection={<IconSearch size={16} aria-hidden="true" />} onChange={(e) => { setText(e.currentTarget.value); later(e.currentTarget.value); }} onKeyDown={(e) => { if (e.key === "Enter") { later.cancel(); enter(text); } }} />;
}

function Notices({ map }: { map: PathMap }) {
  const all = [...(map.complete ? [] : [`Not everything is drawn: ${map.incomplete ?? "the time for it ended"}.`]), ...map.notices];
  if (all.length === 0) return null;
  return <details className="pm-notices"><summary>What is assumed ({all.length})</summary><ul>{all.map((n, i) => <li key={i}><Inert text={n} /></li>)}</ul></details>;
}

export type { PathNode };
