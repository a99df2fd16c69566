// What the page says, in plain words.
import { count, percent } from "../../ui/numbers";
import type { Path, PathChance, Paths } from "./kinds";

/** Words is a stretch of a sentence; goes says where it leads. */
export type Words = { text: string; goes?: "jewels" | "likeliest" | "hosts" };

export const knownWords: Record<string, { word: string; says: string }> = {
  observed: { word: "seen", says: "a scan or a report saw it" },
  policy: { word: "declared", says: "it rests on a rule that somebody declared" },
  assumed: { word: "assumed", says: "nobody has said otherwise" },
};

const criticalities = ["", "minimal", "low", "medium", "high", "critical"];

/** criticalityWord is how critical a host is, "" when nobody said. */
export const criticalityWord = (n: number | null) => (n === null ? "" : (criticalities[n] ?? ""));

/** Goals are what the paths lead to: jewels that were named, hosts that were asked for, critical hosts, or any host. */
export type Goals = "jewels" | "asked" | "critical" | "any";

export function goalsOf(doc: Paths, to: readonly string[]): Goals {
  if (to.length > 0) return "asked";
  if (doc.jewels.some((j) => j.jewel)) return "jewels";
  return doc.jewels.length > 0 && doc.jewels.every((j) => (j.criticality ?? 0) >= 4) ? "critical" : "any";
}

const nouns: Record<Exclude<Goals, "any">, [string, string]> = { jewels: ["jewel", "jewels"], asked: ["chosen host", "chosen hosts"], critical: ["critical host", "critical hosts"] };

/** headline says in one or two sentences how it stands. */
export function headline(doc: Paths, goals: Goals): Words[] {
  const { totals } = doc;
  const best = likeliest(doc.paths);
  const said: Words[] = [];
  if (goals === "any") {
    said.push({ text: totals.reached === 0 ? `None of ${count(totals.hosts, "host")}` : `${totals.reached.toLocaleString()} of ${count(totals.hosts, "host")}`, goes: "hosts" }, { text: ` can be taken${fromWords(doc)}.` });
  } else {
    const [one, many] = nouns[goals];
    const all = totals.jewels, n = totals.jewels_reached;
    if (n === 0) said.push({ text: all === 1 ? `The ${one}` : `None of the ${all.toLocaleString()} ${many}`, goes: "jewels" }, { text: ` can${all === 1 ? "not" : ""} be reached${fromWords(doc)}.` });
    else said.push({ text: all === 1 ? `The ${one}` : n === all ? (n === 2 ? `Both ${many}` : `All ${n.toLocaleString()} ${many}`) : `${n.toLocaleString()} of ${all.toLocaleString()} ${many}`, goes: "jewels" }, { text: ` can be reached${fromWords(doc)}.` });
  }
  if (best) said.push({ text: " " }, { text: "The likeliest way", goes: "likeliest" }, { text: ` takes ${count(best.steps.length, "step")}, ${percent(best.chance)}.` });
  return said;
}

/** fromWords says from where, when that is one place. */
export function fromWords(doc: Paths): string {
  const { entries } = doc.scenario;
  return entries.length === 1 ? ` from ${entries[0]!.name}` : "";
}

/** likeliest is the path with the highest chance, whatever its jewel weighs. */
export const likeliest = (paths: readonly Path[]): Path | null => paths.reduce<Path | null>((best, p) => (best === null || p.chance > best.chance ? p : best), null);

/** estimateOf is one number for a chance: what trials say, else the middle of the bounds. */
export const estimateOf = (c: PathChance): number => c.sampled ?? (c.low + c.high) / 2;

/** boundsOf says between which bounds a chance lies, and how it is known. */
export function boundsOf(c: PathChance): string {
  if (c.high === 0) return "not reached";
  const bounds = c.low === c.high ? percent(c.low) : `at least ${percent(c.low)}, at most ${percent(c.high)}`;
  return c.sampled === null ? bounds : `${percent(c.sampled)}${c.error ? ` ± ${percent(2 * c.error)}` : ""} in ${c.samples.toLocaleString()} random trials; ${bounds} for certain`;
}

/** placeOf is a port as people write it. */
export const placeOf = (port: number | null, protocol: string | null) => (port === null ? "" : `${port}/${protocol ?? "tcp"}`);

/** refWord names where an attacker begins, as from= takes it. */
export function refWord(ref: string): string {
  if (ref === "internet") return "the internet";
  const [kind, ...rest] = ref.split(":");
  const name = rest.join(":");
  if (kind === "site") return `inside ${name}`;
  if (kind === "host") return `on host ${name}`;
  return name.startsWith("site:") ? `a stolen login of ${name.slice(5)}` : `a stolen login of host ${name}`;
}
