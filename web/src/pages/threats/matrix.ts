// The ATT&CK matrix: a column for each tactic, techniques with their sub-techniques folded, and moving in it by keys.
import type { Schema } from "../../api/client";

/** Exposed is a technique with what of one's own findings leads to it. */
export type Exposed = Schema<"ExposureTechnique">;

export type Tactic = Schema<"ExposureTactic">;

export type Cell = { technique: Exposed; /** subs are those of its sub-techniques that are wanted, within is how many there are. */ subs: Exposed[]; within: number; /** touched says how many of the sub-techniques findings lead to. */ touched: number; mine: boolean };

export type Column = { tactic: Tactic; cells: Cell[]; /** mine is how many techniques of it findings lead to. */ mine: number };

export type Wanted = { mine: boolean; words: string };

/** columnsOf lays the techniques out; each counts what leads to its sub-techniques, too. What is not wanted is left out, with columns that get empty by that. */
export function columnsOf(tactics: readonly Tactic[], techniques: readonly Exposed[], wanted: Wanted): Column[] {
  const subs = new Map<string, Exposed[]>();
  for (const t of techniques) if (t.parent) subs.set(t.parent, [...(subs.get(t.parent) ?? []), t]);
  const cells = techniques.filter((t) => !t.parent).map((t) => cellOf(t, subs.get(t.id) ?? [], wanted.mine));
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = cells.filter((c) => (!wanted.mine || c.mine) && (words.length === 0 || [c.technique, ...c.subs].some((t) => has(t, words))));
  return tactics
    .map((tactic) => {
      const own = shown.filter((c) => c.technique.tactics.includes(tactic.short));
      return { tactic, cells: own, mine: own.filter((c) => c.mine).length };
    })
    .filter((c) => c.cells.length > 0 || (!wanted.mine && words.length === 0));
}

function cellOf(technique: Exposed, subs: Exposed[], mine: boolean): Cell {
  const touched = subs.filter((s) => s.findings > 0);
  return { technique, subs: mine ? touched : subs, within: subs.length, touched: touched.length, mine: technique.findings > 0 };
}

function has(t: Exposed, words: string[]): boolean {
  const text = `${t.id} ${t.name ?? ""}`.toLowerCase();
  return words.every((w) => text.includes(w));
}

/** lines are what stands in a column from top to bottom: techniques, and the sub-techniques of those that are unfolded. */
export function linesOf(column: Column, unfolded: ReadonlySet<string>): string[] {
  return column.cells.flatMap((c) => [c.technique.id, ...(unfolded.has(c.technique.id) ? c.subs.map((s) => s.id) : [])]);
}

export type Place = { column: number; line: number };

/** moved is where a key leads from a place in columns of so many lines, or null where the key leads nowhere. */
export function moved(lengths: readonly number[], at: Place, key: string): Place | null {
  const last = (lengths[at.column] ?? 1) - 1;
  switch (key) {
    case "ArrowDown": return at.line < last ? { ...at, line: at.line + 1 } : at;
    case "ArrowUp": return at.line > 0 ? { ...at, line: at.line - 1 } : at;
    case "Home": return { ...at, line: 0 };
    case "End": return { ...at, line: last };
    case "ArrowRight": return beside(lengths, at, 1);
    case "ArrowLeft": return beside(lengths, at, -1);
    default: return null;
  }
}

/** beside is the nearest line of the next column that has any. */
function beside(lengths: readonly number[], at: Place, step: number): Place {
  for (let c = at.column + step; c >= 0 && c < lengths.length; c += step) {
    const n = lengths[c]!;
    if (n > 0) return { column: c, line: Math.min(at.line, n - 1) };
  }
  return at;
}

/** tallied is how many techniques there are of each decision, and how many nobody's findings lead to. */
export function tallied(techniques: readonly Exposed[]): Record<string, number> {
  const out: Record<string, number> = { none: 0 };
  for (const t of techniques) {
    const word = t.findings > 0 ? (t.decision ?? "undecided") : "none";
    out[word] = (out[word] ?? 0) + 1;
  }
  return out;
}
