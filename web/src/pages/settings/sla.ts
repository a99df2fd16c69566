// Terms: what was typed, what is in force, and what the configuration file says.
import type { Schema } from "../../api/client";

type Terms = Schema<"SLA">;

export const kinds = [
  { kind: "decision", name: "By decision", words: ["act", "attend", "plan", "track"] },
  { kind: "severity", name: "By severity", words: ["critical", "high", "medium", "low", "info"] },
] as const;

export type Typed = Record<string, string>;

/** typedOf is what stands in the fields: what was set here; a field of which the file decides is empty. */
export function typedOf(t: Terms): Typed {
  const out: Typed = {};
  for (const { kind, words } of kinds)
    for (const word of words) {
      const [now, file] = [daysOf(t[kind], word), daysOf(t.file[kind], word)];
      out[`${kind}.${word}`] = t.source === "settings" && now !== file ? String(now) : "";
    }
  return out;
}

const daysOf = (days: object, word: string): number => (days as Record<string, number>)[word] ?? 0;

/** fileOf is what the configuration file says of a field. */
export const fileOf = (t: Terms, kind: "decision" | "severity", word: string): number => daysOf(t.file[kind], word);

/** bodyOf is what is asked of the server: what is empty goes back to the file. */
export function bodyOf(typed: Typed): Schema<"SlaInputBody"> {
  const part = (kind: string, words: readonly string[]) => Object.fromEntries(words.map((w) => [w, typed[`${kind}.${w}`] === "" || typed[`${kind}.${w}`] === undefined ? null : Number(typed[`${kind}.${w}`])]));
  return { decision: part("decision", kinds[0].words), severity: part("severity", kinds[1].words) };
}

/** wrongIn is what is wrong with a field, or null. */
export function wrongIn(text: string): string | null {
  if (text === "") return null;
  return /^\d{1,4}$/.test(text) && Number(text) <= 3650 ? null : "0 to 3,650 whole days";
}

/** termOf is a term in words. */
export const termOf = (days: number): string => (days === 0 ? "no term" : days === 1 ? "1 day" : `${days.toLocaleString()} days`);
