import { describe, expect, it } from "vitest";

import type { PathEdge, PathMap, PathNode } from "./kinds";
import { farOf, inOrder, placedOf } from "./place";
import { repairSeen } from "./search";
import { countsOf, linesOf, matching, nodeOfHost, shownOf, touching } from "./sight";
import { besides, likeOf, nameOf, stands } from "./words";

const node = (id: string, more: Partial<PathNode> = {}): PathNode => ({ id, kind: "host", name: id, site: "a", hosts: 1, host_id: 1, members: [], jewel: false, reached: false, privilege: "none", chance: 0, on_path: false, ...more });
const edge = (from: string, to: string, more: Partial<PathEdge> = {}): PathEdge => ({ from, to, kind: "exploits", chance: 0.5, known: "observed", findings: 1, on_path: false, ...more });
const site = (name: string, hosts: number) => node(`site:${name}`, { kind: "site", name, site: name, hosts, host_id: null });
const falls = { reached: true, privilege: "root" as const, chance: 0.5 };

const small: PathMap = {
  nodes: [
    node("entry:internet", { kind: "entry", name: "the internet", site: null, hosts: 0, host_id: null, reached: true, chance: 1 }), site("a", 27), site("b", 2), site("c", 1),
    node("host:1", { ...falls, chance: 0.9, on_path: true }), node("group:2", { kind: "group", name: "24 hosts like 10.0.0.2", hosts: 24, host_id: null, members: [2, 3], ...falls }), node("host:30", { host_id: 30 }),
    node("host:40", { site: "b", host_id: 40, jewel: true, on_path: true, ...falls }), node("host:41", { site: "b", host_id: 41 }), node("host:50", { site: "c", host_id: 50 }),
  ],
  edges: [
    edge("entry:internet", "host:1", { on_path: true }), edge("entry:internet", "group:2", { known: "assumed" }), edge("site:a", "host:30"), edge("host:1", "site:a", { kind: "reaches", on_path: true }),
    edge("site:a", "site:b", { kind: "reaches", known: "policy", on_path: true }), edge("site:b", "host:40", { on_path: true }), edge("site:b", "host:41"), edge("site:c", "site:a", { kind: "reaches" }),
  ],
  folded: 24, complete: true, incomplete: null, notices: [],
};

/** estate is a map of n hosts in sites that follow each other. */
function estate(n: number, sites: number): PathMap {
  const nodes = [small.nodes[0]!];
  const edges: PathEdge[] = [];
  for (let s = 0; s < sites; s++) {
    nodes.push(site(`s${s}`, Math.ceil(n / sites)));
    edges.push(s === 0 ? edge("entry:internet", "site:s0") : edge(`site:s${Math.floor(s / 3)}`, `site:s${s}`, { kind: "reaches" }));
  }
  for (let i = 0; i < n; i++) {
    nodes.push(node(`host:${i}`, { site: `s${i % sites}`, host_id: i, reached: i % 3 > 0, chance: (i % 97) / 97, jewel: i % 100 === 0 }));
    edges.push(edge(`site:s${i % sites}`, `host:${i}`));
  }
  return { ...small, nodes, edges };
}

describe("where things stand", () => {
  it("sites follow by how many an attacker has to hold before them, and those that nobody gets to come last", () => {
    expect([...farOf(small)]).toEqual([["a", 1], ["b", 2]]);
    const frames = placedOf(small, small.nodes).frames;
    expect(frames.map((f) => [f.site, f.far])).toEqual([["a", 1], ["b", 2], ["c", null]]);
    expect(frames[0]!.x + frames[0]!.w).toBeLessThan(frames[1]!.x);
    expect(frames[1]!.x + frames[1]!.w).toBeLessThan(frames[2]!.x);
  });

  it("where he begins is left of all, and the likeliest to fall are first in their site", () => {
    const { spots, order } = placedOf(small, small.nodes);
    const start = spots.get("entry:internet")!;
    for (const [id, spot] of spots) if (id !== "entry:internet") expect(spot.x).toBeGreaterThan(start.x);
    expect(order.map((n) => n.id)).toEqual(["entry:internet", "site:a", "host:1", "group:2", "host:30", "site:b", "host:40", "host:41", "site:c", "host:50"]);
    expect([...small.nodes].sort(inOrder)[0]!.on_path).toBe(true);
  });

  it("nothing lies on anything else, and all hosts lie in the frame of their site, with 5,000 of them too", () => {
    for (const map of [small, estate(5000, 100), estate(700, 3)]) {
      const { spots, frames, width, height } = placedOf(map, map.nodes);
      const all = [...spots.entries()].filter(([id]) => id.startsWith("host:") || id.startsWith("group:"));
      const taken = new Set(all.map(([, s]) => `${s.x.toFixed(3)} ${s.y.toFixed(3)}`));
      expect(taken.size).toBe(all.length);
      const frameOf = new Map(frames.map((f) => [f.site, f]));
      for (const [id, s] of all) {
        const f = frameOf.get(map.nodes.find((n) => n.id === id)!.site!)!;
        expect(s.x - s.r >= f.x && s.x + s.r <= f.x + f.w && s.y - s.r >= f.y && s.y + s.r <= f.y + f.h).toBe(true);
      }
      for (const a of frames) for (const b of frames) if (a !== b) expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
      expect(width / height).toBeGreaterThan(0.5);
      expect(width / height).toBeLessThan(5);
    }
  });

  it("is the same whatever the order in which the server names things", () => {
    const turned = { ...small, nodes: [...small.nodes].reverse(), edges: [...small.edges].reverse() };
    expect(new Map([...placedOf(turned, turned.nodes).spots].sort())).toEqual(new Map([...placedOf(small, small.nodes).spots].sort()));
  });
});

describe("what is in sight", () => {
  it("is all, what is reached, or what the best ways lead over", () => {
    const ids = (show: "all" | "reached" | "ways") => shownOf(small, show).map((n) => n.id);
    expect(ids("all")).toHaveLength(small.nodes.length);
    expect(ids("reached")).toEqual(["entry:internet", "site:a", "site:b", "host:1", "group:2", "host:40"]);
    expect(ids("ways")).toEqual(["entry:internet", "site:a", "site:b", "host:1", "host:40"]);
  });

  it("draws best ways one by one, and the rest once between two sites, by what is surest", () => {
    const lines = linesOf(small, small.nodes, farOf(small));
    expect(lines.filter((l) => l.way).map((l) => `${l.from} ${l.to}`)).toEqual(["entry:internet host:1", "host:1 site:a", "site:a site:b", "site:b host:40"]);
    expect(lines.filter((l) => !l.way)).toEqual([{ from: "entry:internet", to: "site:a", known: "assumed", way: false, hosts: 24 }, { from: "site:c", to: "site:a", known: "observed", way: false, hosts: 0 }]);
  });

  it("keeps one line to each site where there would be thousands", () => {
    const map = estate(200, 60);
    for (let a = 0; a < 60; a++) for (let b = 0; b < 60; b++) if (a !== b) map.edges.push(edge(`site:s${a}`, `site:s${b}`, { kind: "reaches", known: "assumed" }));
    const lines = linesOf(map, map.nodes, farOf(map));
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(new Set(lines.map((l) => l.to)).size).toBe(lines.length);
  });

  it("finds nodes by name and site, and the node in which a host stands", () => {
    expect(matching(small.nodes, "10.0.0.2").map((n) => n.id)).toEqual(["group:2"]);
    expect(matching(small.nodes, "HOST:1").map((n) => n.id)).toEqual(["host:1"]);
    expect(matching(small.nodes, "b").map((n) => n.id)).toContain("host:41");
    expect(nodeOfHost(small, 3)?.id).toBe("group:2");
    expect(nodeOfHost(small, 999)).toBeUndefined();
    expect(touching(small, new Set(small.nodes.map((n) => n.id)), "site:b").map((l) => l.to)).toEqual(["site:b", "host:40", "host:41"]);
  });

  it("counts hosts, not nodes", () => expect(countsOf(small)).toMatchObject({ hosts: 29, nodes: 6, reached: 26, ways: 2, jewels: 1, jewelsReached: 1 }));
});

describe("words and the address", () => {
  it("name a group by what it is", () => {
    const group = small.nodes[5]!;
    expect(nameOf(group)).toBe("24 alike");
    expect(likeOf(group)).toBe("10.0.0.2");
    expect(stands(group)).toBe("50 %, root");
    expect(besides(group)).toBe(", site a");
    expect(besides(small.nodes[7]!)).toBe(", a jewel, site b, on a best way to a jewel");
  });

  it("leave out what does not fit", () => {
    expect(repairSeen({ show: "purple", node: "<img src=x>", way: "up", find: 7 })).toEqual({ show: "all", node: "", way: "", find: "7" });
    expect(repairSeen({ show: "ways", node: "entry:site:office", way: "forward" })).toMatchObject({ show: "ways", node: "entry:site:office", way: "forward" });
  });
});
