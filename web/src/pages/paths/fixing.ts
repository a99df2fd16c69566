// The simulator: which fixes are ticked, what they are, and what they come to.
import { most } from "./search";
import type { Fix, FixSet, Path, PathStep } from "./kinds";

/** Ticks are findings that are taken for fixed, and weaknesses that are taken for patched everywhere. */
export type Ticks = { fix: number[]; patch: string[] };

export const none: Ticks = { fix: [], patch: [] };

export const sizeOf = (t: Ticks) => t.fix.length + t.patch.length;

/** sameAs are the findings that do what a step does: its own first. */
export const sameAs = (s: PathStep): number[] => (s.finding_id === null ? [] : [s.finding_id, ...s.alternatives.map((a) => a.finding_id)]);

/** isFixed says whether nothing that does what the step does is left. */
export function isFixed(s: PathStep, t: Ticks): boolean {
  if (s.finding_id === null) return false;
  const gone = (finding: number, weakness: string | null) => t.fix.includes(finding) || (weakness !== null && t.patch.includes(weakness));
  return gone(s.finding_id, s.weakness) && s.alternatives.every((a) => gone(a.finding_id, a.weakness));
}

/** withFixes ticks findings or takes the ticks off. */
export function withFixes(t: Ticks, findings: readonly number[], on: boolean): Ticks {
  const left = t.fix.filter((f) => !findings.includes(f));
  return { ...t, fix: (on ? [...left, ...findings] : left).slice(-most) };
}

/** withPatch ticks a weakness everywhere or takes the tick off. */
export function withPatch(t: Ticks, weakness: string, on: boolean): Ticks {
  const left = t.patch.filter((w) => w !== weakness);
  return { ...t, patch: on ? [...left, weakness] : left };
}

/** ofSet are the ticks of a set of fixes. */
export const ofSet = (set: FixSet): Ticks => ({ fix: set.fixes.flatMap((f) => f.finding_id ?? []), patch: set.fixes.flatMap((f) => (f.finding_id === null ? [f.weakness] : [])) });

/** isOn says whether a fix is ticked. */
export const isOn = (t: Ticks, f: Pick<Fix, "finding_id" | "weakness">): boolean => (f.finding_id === null ? t.patch.includes(f.weakness) : t.fix.includes(f.finding_id));

/** sameTicks says whether a set is what is ticked, and nothing else. */
export function sameTicks(a: Ticks, b: Ticks): boolean {
  return a.fix.length === b.fix.length && a.patch.length === b.patch.length && a.fix.every((f) => b.fix.includes(f)) && a.patch.every((w) => b.patch.includes(w));
}

/** endOf is the step at which a path is ended with the least work: the fewest weaknesses that do the same, the earliest of those. */
export function endOf(path: Path): PathStep | null {
  let best: PathStep | null = null;
  for (const s of path.steps) if (s.finding_id !== null && (best === null || s.alternatives.length < best.alternatives.length)) best = s;
  return best;
}

/** Named is a ticked fix with what is known of it. */
export type Named = { key: string; finding: number | null; weakness: string; host: string; do: string };

/** namedOf gives names to what is ticked, out of everything that the page has seen. */
export function namedOf(t: Ticks, paths: readonly Path[], sets: readonly (readonly Fix[])[]): Named[] {
  const known = new Map<number, Named>();
  const keep = (finding: number, weakness: string, host: string, does: string) => { if (!known.has(finding)) known.set(finding, { key: `f${finding}`, finding, weakness, host, do: does }); };
  for (const set of sets) for (const f of set) if (f.finding_id !== null) keep(f.finding_id, f.weakness, f.host?.name ?? "", f.do ?? "");
  for (const p of paths)
    for (const s of p.steps) {
      if (s.finding_id === null) continue;
      keep(s.finding_id, s.weakness ?? "", s.host?.name ?? "", s.fix ?? "");
      for (const a of s.alternatives) keep(a.finding_id, a.weakness, s.host?.name ?? "", "");
    }
  return [
    ...t.patch.map((w) => ({ key: `w${w}`, finding: null, weakness: w, host: "", do: "" })),
    ...t.fix.map((f) => known.get(f) ?? { key: `f${f}`, finding: f, weakness: "", host: "", do: "" }),
  ];
}
