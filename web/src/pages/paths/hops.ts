// A path as it is drawn: where an attacker begins, and for each thing that he gets the hop that gives it. A hop is what he
// does (an exploit, a login) with the ways on which he gets there.
import type { Path, PathHost, PathStep } from "./kinds";

export type Hop = {
  /** at is its place among the hops, from 1; 0 is where he begins. */
  at: number;
  /** act is what gives him something, ways are the steps that bring him near enough. */
  act: PathStep;
  ways: PathStep[];
  host: PathHost | null;
  privilege: "user" | "root" | "";
  /** from are the hops that it needs, 0 is where he begins. */
  from: number[];
  /** column is how far it is from there, lane tells those of a column apart. */
  column: number;
  lane: number;
};

const isWay = (s: PathStep) => s.kind === "enters" || s.kind === "moves" || s.kind === "implies";

/** privilegeOf reads what a step gives from its words. */
export function privilegeOf(gains: string): Hop["privilege"] {
  if (/\b(root|administrator|SYSTEM)\b/i.test(gains)) return "root";
  return /\buser\b/i.test(gains) ? "user" : "";
}

/** hopsOf finds what needs what: a step's needs are the words of what earlier steps gave. Where none is found, the step before is meant. */
export function hopsOf(path: Path): Hop[] {
  const acts = actsOf(path.steps);
  const given = new Map<string, number>();
  path.steps.forEach((s, i) => { if (!given.has(s.gains)) given.set(s.gains, i); });
  const hops: Hop[] = [];
  const hopOf = new Map<number, number>();
  const used: number[] = [];
  for (const i of acts) {
    const from = new Set<number>();
    const ways = new Set<number>();
    trace(path.steps, i, given, hopOf, from, ways, i);
    if (from.size === 0) from.add(0);
    const column = 1 + Math.max(...[...from].map((f) => hops[f - 1]?.column ?? 0));
    const lane = used[column] ?? 0;
    used[column] = lane + 1;
    const act = path.steps[i]!;
    hops.push({ at: hops.length + 1, act, ways: [...ways].sort((a, b) => a - b).map((w) => path.steps[w]!), host: act.host, privilege: privilegeOf(act.gains), from: [...from].sort((a, b) => a - b), column, lane });
    hopOf.set(i, hops.length);
  }
  return hops;
}

// A path of which nothing has to be attacked ends in a way.
function actsOf(steps: PathStep[]): number[] {
  const acts = steps.flatMap((s, i) => (isWay(s) ? [] : [i]));
  return acts.length > 0 || steps.length === 0 ? acts : [steps.length - 1];
}

function trace(steps: PathStep[], i: number, given: Map<string, number>, hopOf: Map<number, number>, from: Set<number>, ways: Set<number>, act: number) {
  const known = steps[i]!.needs.flatMap((n) => { const at = given.get(n); return at !== undefined && at < i ? [at] : []; });
  const before = known.length > 0 ? known : steps[i]!.kind !== "enters" && i > 0 ? [i - 1] : [];
  for (const b of before) {
    const hop = hopOf.get(b);
    if (hop !== undefined) from.add(hop);
    else if (!ways.has(b) && b !== act) {
      ways.add(b);
      trace(steps, b, given, hopOf, from, ways, act);
    }
  }
}

/** knownOf is the weakest of what the steps of a hop rest on. */
export function knownOf(hop: Hop): string {
  const all = [hop.act, ...hop.ways].map((s) => s.known);
  return all.includes("assumed") ? "assumed" : all.includes("policy") ? "policy" : "observed";
}

/** chanceOf is that all steps of a hop work. */
export const chanceOf = (hop: Hop): number => [hop.act, ...hop.ways].reduce((p, s) => p * s.chance, 1);
