// Pasted indicators, and what the lists say of them.
import type { Schema } from "../../api/client";

type Answer = Schema<"IndicatorAnswer">;

/** most is how many can be looked up at once. */
export const most = 10_000;

/** valuesIn finds the values in a pasted text: one a line, or with blanks, commas, semicolons or quotes between, each once. */
export function valuesIn(text: string): string[] {
  const values = text
    .split(/[\s,;"'<>|]+/)
    .map((v) => v.replace(/^[([{]+(?=[^\s])|[)}.]+$/g, ""))
    .filter((v) => v !== "" && v !== "-");
  return [...new Set(values)];
}

export type Sorted = { found: Answer[]; expired: Answer[]; refused: Answer[]; unknown: Answer[] };

/** sortedOut puts what is listed first: now, once, and what is no indicator at all. */
export function sortedOut(answers: readonly Answer[]): Sorted {
  const out: Sorted = { found: [], expired: [], refused: [], unknown: [] };
  for (const a of answers) {
    if (a.error !== null) out.refused.push(a);
    else if ((a.found && !a.expired) || a.urls.some((u) => !u.expired)) out.found.push(a);
    else if (a.found || a.urls.length > 0) out.expired.push(a);
    else out.unknown.push(a);
  }
  return out;
}

/** hostOf is the address or name that an indicator leads to, by which a host of one's own is found; null for hashes. */
export function hostOf(kind: string | null, value: string | null): string | null {
  if (!value) return null;
  if (kind === "ip" || kind === "domain") return value;
  if (kind !== "url") return null;
  try {
    return new URL(value).hostname.replace(/^\[|\]$/g, "") || null;
  } catch {
    return null;
  }
}

/** isOf says whether a host has exactly this address or name: the search for hosts also finds parts of names. */
export function isOf(host: Pick<Schema<"Host">, "address" | "addresses" | "hostnames">, what: string): boolean {
  const same = what.toLowerCase();
  return [host.address ?? "", ...host.addresses, ...host.hostnames].some((name) => name.toLowerCase() === same);
}

/** harmless writes a value so that nothing makes a link of it. */
export const harmless = (value: string) => value.replace(/^http/i, "hxxp").replace(/:\/\/([^/]*)/, (_, host: string) => "://" + host.replaceAll(".", "[.]"));
