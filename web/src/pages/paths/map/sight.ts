// What of the map is in sight: the nodes that the filter leaves, the lines between them, and what touches one of them. Lines
// that say the same between two sites are one: thousands of lines would say nothing.
import type { PathEdge, PathMap, PathNode } from "./kinds";

export const shows = ["all", "reached", "ways"] as const;
export type Show = (typeof shows)[number];

export type Known = PathEdge["known"];

/** Line is what is drawn between two nodes; hosts are the hosts that it leads to, where it stands for many. */
export type Line = { from: string; to: string; known: Known; way: boolean; hosts: number };

const isHost = (n: PathNode) => n.kind === "host" || n.kind === "group";

/** shownOf are the nodes that the filter leaves; a site stays as long as one of its hosts does. */
export function shownOf(map: PathMap, show: Show): PathNode[] {
  const keep = (n: PathNode) => show === "all" || (show === "reached" ? n.reached || n.on_path : n.on_path);
  const hosts = map.nodes.filter((n) => isHost(n) && keep(n));
  const sites = new Set(hosts.map((n) => n.site ?? ""));
  return [...map.nodes.filter((n) => n.kind === "entry"), ...map.nodes.filter((n) => n.kind === "site" && sites.has(n.site ?? "")), ...hosts];
}

const surest: Record<Known, number> = { observed: 0, policy: 1, assumed: 2 };
const most = 300; // lines between sites, beyond which each site keeps only the way by which it is reached first

/** linesOf are the lines of the picture: the best ways to jewels one by one, and what else leads from site to site together. */
export function linesOf(map: PathMap, shown: readonly PathNode[], far: ReadonlyMap<string, number>): Line[] {
  const nodes = new Map(shown.map((n) => [n.id, n]));
  const gates = new Map(shown.filter((n) => n.kind === "site").map((n) => [n.site ?? "", n.id]));
  const ways: Line[] = [];
  const bundles = new Map<string, Line>();
  for (const e of map.edges) {
    const from = nodes.get(e.from), to = nodes.get(e.to);
    if (!from || !to) continue;
    if (e.on_path) ways.push({ from: e.from, to: e.to, known: e.known, way: true, hosts: to.hosts });
    else if (isHost(from)) bundle(bundles, e.from, e.to, e.known, to.hosts);
    else {
      const gate = to.kind === "site" ? to.id : gates.get(to.site ?? "");
      if (gate && gate !== e.from) bundle(bundles, e.from, gate, e.known, to.kind === "site" ? 0 : to.hosts);
    }
  }
  const drawn = new Set(ways.map((w) => w.from + "\n" + w.to));
  let others = [...bundles.values()].filter((l) => !drawn.has(l.from + "\n" + l.to));
  if (others.length > most) others = nearest(others, nodes, far);
  return [...others, ...ways];
}

function bundle(all: Map<string, Line>, from: string, to: string, known: Known, hosts: number) {
  const key = from + "\n" + to;
  const old = all.get(key);
  if (!old) all.set(key, { from, to, known, way: false, hosts });
  else {
    old.hosts += hosts;
    if (surest[known] < surest[old.known]) old.known = known;
  }
}

function nearest(lines: Line[], nodes: ReadonlyMap<string, PathNode>, far: ReadonlyMap<string, number>): Line[] {
  const farOf = (id: string) => { const n = nodes.get(id)!; return n.kind === "entry" ? 0 : (far.get(n.site ?? "") ?? Infinity); };
  const best = new Map<string, Line>();
  for (const l of lines) {
    const old = best.get(l.to);
    if (!old || farOf(l.from) < farOf(old.from)) best.set(l.to, l);
  }
  return [...best.values()];
}

/** touching are the lines of one node, drawn when it is looked at. */
export function touching(map: PathMap, shown: ReadonlySet<string>, id: string): Line[] {
  return map.edges.filter((e) => (e.from === id || e.to === id) && shown.has(e.from) && shown.has(e.to)).map((e) => ({ from: e.from, to: e.to, known: e.known, way: e.on_path, hosts: 1 }));
}

/** findingsOf is how many findings let an attacker in on a node. */
export const findingsOf = (map: PathMap, id: string): number => map.edges.reduce((n, e) => (e.to === id ? Math.max(n, e.findings) : n), 0);

/** nodeOfHost finds in which node a host stands, as far as the map says. */
export const nodeOfHost = (map: PathMap, host: number): PathNode | undefined => map.nodes.find((n) => n.host_id === host || n.members.includes(host));

/** matching are the nodes that a text names, the whole name first. */
export function matching(nodes: readonly PathNode[], text: string): PathNode[] {
  const asked = text.trim().toLowerCase();
  if (asked === "") return [...nodes];
  const found = nodes.filter((n) => n.name.toLowerCase().includes(asked) || (n.site ?? "").toLowerCase() === asked);
  return [...found.filter((n) => n.name.toLowerCase() === asked), ...found.filter((n) => n.name.toLowerCase() !== asked)];
}

/** countsOf says how much of the map is what. */
export function countsOf(map: PathMap) {
  const hosts = map.nodes.filter(isHost);
  const sum = (nodes: PathNode[]) => nodes.reduce((n, x) => n + x.hosts, 0);
  return { hosts: sum(hosts), nodes: hosts.length, reached: sum(hosts.filter((n) => n.reached)), ways: sum(hosts.filter((n) => n.on_path)), jewels: hosts.filter((n) => n.jewel).length, jewelsReached: hosts.filter((n) => n.jewel && n.reached).length };
}
