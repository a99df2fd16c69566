// Where everything stands on the map. Where an attacker begins is on the left; sites follow by how many sites he has to hold
// before them; in a site the likeliest to fall come first, from top to bottom and then to the right. The same map is always
// drawn the same: nothing floats.
import type { PathMap, PathNode } from "./kinds";

export type Spot = { x: number; y: number; r: number };
/** Frame is the ground of a site; far is how many steps from site to site it takes, null where nobody gets. */
export type Frame = { site: string; name: string; hosts: number; reached: number; far: number | null; x: number; y: number; w: number; h: number };
/** Placed is the picture in units of its own, y downwards; order is how the nodes are read. */
export type Placed = { spots: Map<string, Spot>; frames: Frame[]; order: PathNode[]; width: number; height: number };

const isHost = (n: PathNode) => n.kind === "host" || n.kind === "group";

/** farOf says of each site that an attacker gets to over how many sites. */
export function farOf(map: PathMap): Map<string, number> {
  const nodes = new Map(map.nodes.map((n) => [n.id, n]));
  const held = new Set(map.nodes.filter((n) => isHost(n) && n.reached).map((n) => n.site ?? ""));
  const next = new Map<string, Set<string>>(); // "" is where he begins
  const entered = new Set<string>();
  for (const e of map.edges) {
    const from = nodes.get(e.from), to = nodes.get(e.to);
    if (!from || !to || to.kind === "entry" || (isHost(to) && !to.reached)) continue;
    const a = from.kind === "entry" ? null : (from.site ?? ""), b = to.site ?? "";
    if (a === null) {
      if (to.kind === "site" || held.has(b)) entered.add(b);
    } else if (a !== b && held.has(b)) next.set(a, (next.get(a) ?? new Set()).add(b));
  }
  const far = new Map<string, number>([...entered].map((s) => [s, 1]));
  for (let line = [...entered]; line.length > 0; ) {
    const after: string[] = [];
    for (const s of line) for (const t of next.get(s) ?? []) if (!far.has(t)) { far.set(t, far.get(s)! + 1); after.push(t); }
    line = after;
  }
  return far;
}

const byWord = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** inOrder: what is on a best way first, then the likeliest to fall. */
export const inOrder = (a: PathNode, b: PathNode) =>
  Number(b.on_path) - Number(a.on_path) || Number(b.reached) - Number(a.reached) || b.chance - a.chance || Number(b.jewel) - Number(a.jewel) || b.hosts - a.hosts || byWord(a.name, b.name) || byWord(a.id, b.id);

const room = { few: 2.6, many: 1.25, side: 0.9, foot: 0.5, between: 1.4, columns: 3.2, gate: 1.3 };

type Site = { name: string; nodes: PathNode[]; gate: PathNode | undefined; far: number | null; columns: number; rows: number; w: number; h: number };

/** placedOf lays the nodes in sight out, in about the shape of the window. */
export function placedOf(map: PathMap, shown: readonly PathNode[], shape = 1.6): Placed {
  const far = farOf(map);
  const cell = shown.length > 400 ? room.many : room.few;
  const whole = new Map<string, { hosts: number; reached: number }>();
  for (const n of map.nodes.filter(isHost)) {
    const of = whole.get(n.site ?? "") ?? { hosts: 0, reached: 0 };
    whole.set(n.site ?? "", { hosts: of.hosts + n.hosts, reached: of.reached + (n.reached ? n.hosts : 0) });
  }
  const away = (p: Placed) => Math.abs(Math.log(p.width / p.height / shape));
  let head = 1.3, best: Placed | undefined;
  for (let round = 0; round < 2; round++) {
    best = undefined;
    for (const form of forms) {
      const placed = layOut(shown, far, whole, { cell, head, form, shape });
      if (!best || away(placed) < away(best) - 0.05) best = placed;
    }
    head = Math.max(head, (18 * best!.width) / 1000); // room for a title of a readable size
  }
  return best!;
}

// How wide the grid of a site is for its height, the calmest first.
const forms = [1.25, 0.9, 1.8, 0.6, 0.4];

type Way = { cell: number; head: number; form: number; shape: number };

function layOut(shown: readonly PathNode[], far: Map<string, number>, whole: ReadonlyMap<string, { hosts: number; reached: number }>, { cell, head, form, shape }: Way): Placed {
  const sites = sitesOf(shown, far, cell, head, form);
  const entries = shown.filter((n) => n.kind === "entry");
  const { at, width, height } = bestOf(sites, shape);
  const left = entries.length > 0 ? 4 : 0;
  const spots = new Map<string, Spot>();
  const level = sites.length > 0 ? gateOf(sites[0]!, at[0]!.y + head, cell) : height / 2;
  entries.forEach((n, i) => spots.set(n.id, { x: 1, y: level + i * Math.max(2, head), r: 0.6 }));
  const frames: Frame[] = [];
  const order = [...entries];
  sites.forEach((s, i) => {
    const x = at[i]!.x + left, y = at[i]!.y;
    frames.push({ site: s.name, name: s.gate?.name ?? s.name, ...whole.get(s.name)!, far: s.far, x, y: y + head, w: s.w, h: s.h - head });
    if (s.gate) {
      spots.set(s.gate.id, { x, y: gateOf(s, y + head, cell), r: 0.3 });
      order.push(s.gate);
    }
    s.nodes.forEach((n, k) => {
      const column = Math.floor(k / s.rows), row = k % s.rows;
      spots.set(n.id, { x: x + room.gate + column * cell + 0.5, y: y + head + room.foot + 0.5 + row * rowOf(cell), r: n.jewel ? 0.46 : n.kind === "group" ? Math.min(0.46, 0.34 + 0.04 * Math.log2(n.hosts)) : 0.34 });
      order.push(n);
    });
  });
  return { spots, frames, order, width: width + left, height: Math.max(height, level + entries.length * Math.max(2, head)) };
}

/** gateOf is how low the gate of a site stands: beside the hosts to which ways lead, which are its first. */
const gateOf = (s: Site, top: number, cell: number) => top + room.foot + 0.5 + ((Math.min(s.rows, Math.max(1, s.nodes.filter((n) => n.on_path).length)) - 1) / 2) * rowOf(cell);

const rowOf = (cell: number) => (cell === room.few ? 1.7 : 1.25);

function sitesOf(shown: readonly PathNode[], far: Map<string, number>, cell: number, head: number, form: number): Site[] {
  const names = [...new Set(shown.filter((n) => isHost(n)).map((n) => n.site ?? ""))];
  const sites = names.map((name): Site => {
    const nodes = shown.filter((n) => isHost(n) && (n.site ?? "") === name).sort(inOrder);
    const rows = Math.max(1, Math.ceil(Math.sqrt((nodes.length * cell) / (form * rowOf(cell)))));
    const columns = Math.ceil(nodes.length / rows);
    return {
      name, nodes, gate: shown.find((n) => n.kind === "site" && (n.site ?? "") === name), far: far.get(name) ?? null, columns, rows,
      w: room.gate + (columns - 1) * cell + 1 + room.side, h: head + room.foot * 2 + (rows - 1) * rowOf(cell) + 1,
    };
  });
  const ways = (s: Site) => s.nodes.filter((n) => n.on_path).length;
  return sites.sort((a, b) => (a.far ?? Infinity) - (b.far ?? Infinity) || ways(b) - ways(a) || b.nodes.length - a.nodes.length || byWord(a.name, b.name));
}

/** bestOf stacks sites of one distance below each other, and begins a new column where they get too high for the window's shape. */
function bestOf(sites: readonly Site[], shape: number) {
  const all = sites.reduce((n, s) => n + s.h + room.between, 0), least = Math.max(0, ...sites.map((s) => s.h));
  let best = stacked(sites, least);
  for (let most = least; most <= all * 1.05; most *= 1.08) {
    const next = stacked(sites, most);
    if (Math.abs(Math.log(next.width / next.height / shape)) < Math.abs(Math.log(best.width / best.height / shape))) best = next;
  }
  return best;
}

function stacked(sites: readonly Site[], most: number) {
  const columns: { x: number; w: number; h: number; sites: number[] }[] = [];
  let x = 0, last: number | null | undefined;
  sites.forEach((s, i) => {
    const column = columns[columns.length - 1];
    if (column && last === s.far && column.h + room.between + s.h <= most) {
      column.h += room.between + s.h;
      column.w = Math.max(column.w, s.w);
      column.sites.push(i);
    } else {
      if (column) x += column.w + (last === s.far ? room.between : room.columns);
      columns.push({ x, w: s.w, h: s.h, sites: [i] });
    }
    last = s.far;
  });
  const height = Math.max(1, ...columns.map((c) => c.h));
  const at = new Array<{ x: number; y: number }>(sites.length);
  for (const c of columns) {
    let y = 0;
    for (const i of c.sites) {
      at[i] = { x: c.x, y };
      y += sites[i]!.h + room.between;
    }
  }
  const end = columns[columns.length - 1];
  return { at, width: Math.max(1, end ? end.x + end.w : 1), height };
}
