import { describe, expect, it } from "vitest";

import { bandsOf, drawingOf } from "./draw";
import { endOf, isFixed, namedOf, none, ofSet, sameTicks, withFixes, withPatch } from "./fixing";
import { chanceOf, hopsOf, knownOf, privilegeOf } from "./hops";
import type { Path, PathHost, Paths, PathStep } from "./kinds";
import { joined, listOf, queryOf, repair, askOf, usual } from "./search";
import { boundsOf, goalsOf, headline, refWord } from "./words";

const host = (id: number, name = `10.0.0.${id}`, jewel = false): PathHost => ({ id, name, site: "office", os: null, jewel, criticality: null });

const step = (n: number, kind: PathStep["kind"], needs: string[], gains: string, more: Partial<PathStep> = {}): PathStep => ({
  n, kind, needs, gains, edge: "", host: null, port: null, protocol: null, service: null, chance: 1, chance_why: "", known: "observed", why: "", says: "", weakness: null, finding_id: null,
  title: null, scanner: null, rules: [], technique: null, fix: null, alternatives: [], ...more,
});

const exploit = (n: number, needs: string[], gains: string, at: PathHost, finding: number, more: Partial<PathStep> = {}) =>
  step(n, "exploit", needs, gains, { host: at, finding_id: finding, weakness: `CVE-2024-${finding}`, chance: 0.5, ...more });

const path = (steps: PathStep[], to: PathHost): Path => ({ id: "a", to, from: "the internet", chance: 0.25, weight: 1, hosts: [to], known: "observed", assumed: [], says: "", steps });

const web = host(1), db = host(2, "10.0.0.2", true);

const straight = path([
  step(1, "enters", ["the internet"], "port 443 of web is reached", { host: web }),
  exploit(2, ["port 443 of web is reached"], "user on web", web, 11),
  step(3, "moves", ["user on web"], "port 5432 of db is reached", { host: db, known: "assumed" }),
  exploit(4, ["port 5432 of db is reached"], "root on db", db, 12, { alternatives: [{ finding_id: 13, weakness: "CVE-2024-13", chance: 0.3 }] }),
], db);

describe("the hops of a path", () => {
  it("join the ways with what is done after them", () => {
    const hops = hopsOf(straight);
    expect(hops.map((h) => [h.host?.name, h.from, h.column, h.ways.map((w) => w.n), h.privilege])).toEqual([["10.0.0.1", [0], 1, [1], "user"], ["10.0.0.2", [1], 2, [3], "root"]]);
    expect(knownOf(hops[1]!)).toBe("assumed");
    expect(chanceOf(hops[0]!)).toBe(0.5);
  });

  it("stand beside each other where one needs two", () => {
    const c = host(3);
    const hops = hopsOf(path([
      step(1, "enters", ["the internet"], "a is reached"),
      exploit(2, ["a is reached"], "user on a", web, 1),
      exploit(3, ["a is reached"], "a login of c", db, 2),
      step(4, "logs_in", ["user on a", "a login of c"], "user on c", { host: c }),
    ], c));
    expect(hops.map((h) => [h.from, h.column, h.lane])).toEqual([[[0], 1, 0], [[0], 1, 1], [[1, 2], 2, 0]]);
  });

  it("follow each other where the words of needs are unknown", () => {
    const hops = hopsOf(path([exploit(1, ["?"], "one", web, 1), exploit(2, ["??"], "two", db, 2)], db));
    expect(hops.map((h) => h.from)).toEqual([[0], [1]]);
  });

  it("are there when nothing has to be attacked", () => {
    expect(hopsOf(path([step(1, "enters", ["a"], "user on db", { host: db })], db)).map((h) => h.host?.id)).toEqual([2]);
    expect(hopsOf(path([], db))).toEqual([]);
  });

  it("end where steps give what they need", () => {
    const round = path([exploit(1, ["x"], "x", web, 1), exploit(2, ["x"], "x", web, 2)], web);
    expect(hopsOf(round)).toHaveLength(2);
  });

  it("name the privilege", () => {
    expect([privilegeOf("administrator of db"), privilegeOf("user on db"), privilegeOf("files of db")]).toEqual(["root", "user", ""]);
  });
});

describe("the drawing", () => {
  const chain = (n: number) => hopsOf(path(Array.from({ length: n }, (_, i) => exploit(i + 1, [i === 0 ? "start" : `g${i - 1}`], `g${i}`, host(i + 1), i + 1)), host(n)));

  it("stands in one row where there is room, and never leaves its width", () => {
    for (const width of [430, 560, 700, 1000, 1900]) {
      for (const n of [1, 3, 7, 12]) {
        const d = drawingOf(chain(n), width);
        expect(d.down).toBe(false);
        for (const b of [...d.boxes, ...d.words]) {
          expect(b.x).toBeGreaterThanOrEqual(-0.5);
          expect(b.x + b.w).toBeLessThanOrEqual(width + 0.5);
          expect(b.y + b.h).toBeLessThanOrEqual(d.height + 0.5);
        }
      }
    }
    expect(new Set(drawingOf(chain(7), 1900).boxes.map((b) => b.y)).size).toBe(1);
  });

  it("has boxes that do not lie on each other", () => {
    const { boxes } = drawingOf(chain(9), 700);
    for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1)) expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
  });

  it("goes down on a phone", () => {
    const d = drawingOf(chain(3), 320);
    expect(d.down).toBe(true);
    expect(d.boxes.map((b) => b.x)).toEqual([0, 0, 0, 0]);
  });

  it("fills its bands with all columns", () => {
    for (let n = 1; n < 30; n++) expect(bandsOf(n, 700, 16).reduce((a, b) => a + b, 0)).toBe(n);
  });
});

describe("the simulator", () => {
  const last = straight.steps[3]!;

  it("takes a step for fixed when nothing that does the same is left", () => {
    expect(isFixed(last, withFixes(none, [12], true))).toBe(false);
    expect(isFixed(last, withFixes(none, [12, 13], true))).toBe(true);
    expect(isFixed(last, withPatch(withFixes(none, [12], true), "CVE-2024-13", true))).toBe(true);
    expect(isFixed(straight.steps[0]!, none)).toBe(false);
  });

  it("ends a path where it takes the least", () => expect(endOf(straight)?.n).toBe(2));

  it("takes ticks off again", () => {
    const t = withPatch(withFixes(none, [1, 2], true), "CVE-1", true);
    expect(withPatch(withFixes(t, [1, 2], false), "CVE-1", false)).toEqual(none);
    expect(withFixes(t, [2, 3], true).fix).toEqual([1, 2, 3]);
  });

  it("knows a set that is ticked", () => {
    const fix = { weakness: "CVE-1", finding_id: 7, host: null, title: null, do: null, findings: 1, cuts: 1, risk_removed: null };
    const set = { fixes: [fix, { ...fix, weakness: "CVE-2", finding_id: null }], smallest: true, verified: true, complete: true, total: 2, actions: [] };
    expect(ofSet(set)).toEqual({ fix: [7], patch: ["CVE-2"] });
    expect(sameTicks(ofSet(set), { patch: ["CVE-2"], fix: [7] })).toBe(true);
    expect(sameTicks(ofSet(set), none)).toBe(false);
  });

  it("names what is ticked, also what no path leads over any more", () => {
    expect(namedOf({ fix: [13, 99], patch: ["CVE-5"] }, [straight], []).map((f) => [f.weakness, f.host])).toEqual([["CVE-5", ""], ["CVE-2024-13", "10.0.0.2"], ["", ""]]);
  });
});

describe("the address", () => {
  it("is repaired", () => {
    const c = repair({ from: "internet,site:branch,file:/etc/passwd,site:<b>", to: 7, assume: "everything", fix: "1,x,-2,3,3", patch: ["CVE-1", 5], path: "<img>", step: "2", limit: 300, view: "jewels", tab: "__proto__" });
    expect(c).toMatchObject({ tab: "paths", view: "jewels", from: ["internet", "site:branch"], to: ["7"], assume: "site", fix: [1, 3], patch: ["CVE-1", "5"], path: "", step: 2, limit: 300 });
  });

  it("reads back what it wrote", () => {
    for (const list of [["a", "b"], ["a,b", "c"], ["1"]]) expect(listOf(joined(list))).toEqual(list);
    expect(joined([])).toBeUndefined();
  });

  it("asks only for what differs from the usual", () => {
    expect(usual(askOf(repair({})))).toBe(true);
    expect(JSON.parse(JSON.stringify(queryOf(askOf(repair({ reuse: true, to: "7" })))))).toEqual({ assume: "site", reuse: true, to: ["7"] });
  });
});

describe("the words", () => {
  const doc = (totals: Partial<Paths["totals"]>, jewels: Partial<Paths["jewels"][number]>[], paths: Path[] = [straight]): Paths => ({
    scenario: { assume: "site", reuse: false, secrets: false, entries: [{ kind: "internet", name: "the internet", ref: "internet", assumed: true, reaches: 1 }], policy_rules: 0, corrections: 0, other_reached: 0 },
    scan_id: null, jewels: jewels as Paths["jewels"], paths, totals: { hosts: 9, reached: 2, jewels: 4, jewels_reached: 3, paths: paths.length, facts: 1, actions: 1, ...totals }, notices: [], complete: true, incomplete: null, generation: 1, at: "2026-11-22T00:00:00Z",
  });
  const says = (d: Paths, to: string[] = []) => headline(d, goalsOf(d, to)).map((w) => w.text).join("");

  it("say how it stands", () => {
    expect(says(doc({}, [{ jewel: true }]))).toBe("3 of 4 jewels can be reached from the internet. The likeliest way takes 4 steps, 25 %.");
    expect(says(doc({ jewels: 1, jewels_reached: 1 }, [{ jewel: true }]))).toMatch(/^The jewel can be reached/);
    expect(says(doc({ jewels_reached: 0 }, [{ jewel: true }], []))).toBe("None of the 4 jewels can be reached from the internet.");
    expect(says(doc({ jewels: 1, jewels_reached: 0 }, [{ jewel: true }], []))).toBe("The jewel cannot be reached from the internet.");
  });

  it("do not call a jewel what nobody named", () => {
    expect(says(doc({}, [{ jewel: false, criticality: 4 }, { jewel: false, criticality: 5 }]))).toMatch(/^3 of 4 critical hosts/);
    expect(says(doc({}, [{ jewel: false, criticality: null }]))).toMatch(/^2 of 9 hosts can be taken/);
    expect(says(doc({}, [{ jewel: true }]), ["7"])).toMatch(/^3 of 4 chosen hosts/);
  });

  it("say chances with their bounds", () => {
    expect(boundsOf({ low: 0, high: 0, sampled: 0, error: 0, samples: 10 })).toBe("not reached");
    expect(boundsOf({ low: 0.2, high: 0.5, sampled: null, error: null, samples: 0 })).toBe("at least 20 %, at most 50 %");
  });

  it("name where attackers begin", () => expect(["internet", "site:branch", "host:7", "user:site:dmz"].map(refWord)).toEqual(["the internet", "inside branch", "on host 7", "a stolen login of dmz"]));
});
