// What people say of hosts, as changes and as the way back from them.
import type { Schema } from "../../api/client";

export type Words = Schema<"HostWords">;
export type Said = { tags: string[]; owner: string | null; criticality: string | null; exposed: boolean | null };

export const criticalities = ["minimal", "low", "medium", "high", "critical"] as const;

/** changeOfTags says what to send so that a host has the new tags: names to put on, and with a minus those to take off. */
export function changeOfTags(old: readonly string[], now: readonly string[]): string[] {
  return [...now.filter((t) => !old.includes(t)), ...old.filter((t) => !now.includes(t)).map((t) => "-" + t)];
}

/** exposureWord is what the server calls an exposure. */
export const exposureWord = (exposed: boolean | null): "yes" | "no" | "unset" => (exposed === null ? "unset" : exposed ? "yes" : "no");

/** backOf is what to say so that a host is as it was before the words were said; own is what people had said of it. */
export function backOf(words: Words, own: Said): Words {
  const back: Words = {};
  if (words.owner !== undefined) back.owner = own.owner ?? "";
  if (words.criticality !== undefined) back.criticality = (own.criticality ?? "") as Words["criticality"];
  if (words.exposed !== undefined) back.exposed = exposureWord(own.exposed);
  const tags = (words.tags ?? []).flatMap((t) => (t.startsWith("-") ? (own.tags.includes(t.slice(1)) ? [t.slice(1)] : []) : own.tags.includes(t) ? [] : ["-" + t]));
  if (tags.length > 0) back.tags = tags;
  return back;
}

/** after is how a host looks once the words are said, for the page to show it at once. */
export function after<T extends Said>(host: T, words: Words): T {
  const off = (words.tags ?? []).filter((t) => t.startsWith("-")).map((t) => t.slice(1));
  const on = (words.tags ?? []).filter((t) => !t.startsWith("-"));
  return {
    ...host,
    tags: [...new Set([...host.tags.filter((t) => !off.includes(t)), ...on])].sort(),
    owner: words.owner === undefined ? host.owner : words.owner || null,
    criticality: words.criticality === undefined ? host.criticality : words.criticality || null,
    exposed: words.exposed === undefined ? host.exposed : words.exposed === "unset" ? null : words.exposed === "yes",
  };
}

/** waysBack groups many hosts by what each of them needs to be as it was, so that few requests are enough. */
export function waysBack(hosts: (Said & { id: number })[], words: Words): { hosts: string[]; words: Words }[] {
  const groups = new Map<string, { hosts: string[]; words: Words }>();
  for (const host of hosts) {
    const back = backOf(words, host);
    if (Object.keys(back).length === 0) continue;
    const key = JSON.stringify(back);
    const group = groups.get(key) ?? { hosts: [], words: back };
    group.hosts.push(String(host.id));
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** nothingSaid: the words would change nothing. */
export const nothingSaid = (words: Words) => words.owner === undefined && words.criticality === undefined && words.exposed === undefined && (words.tags ?? []).length === 0;
