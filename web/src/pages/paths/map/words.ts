// What the map says of its nodes, in plain words.
import { count, percent } from "../../../ui/numbers";
import type { PathNode } from "./kinds";

/** nameOf is what a node is called on the map. */
export const nameOf = (n: PathNode): string => (n.kind === "group" ? `${n.hosts.toLocaleString()} alike` : n.name);

/** likeOf is a host that stands for a group: the name that the server gives it ends in it. */
export const likeOf = (n: PathNode): string => (n.kind === "group" ? n.name.replace(/^[\d.,\s]*hosts? like /, "") : n.name);

const privileges: Record<string, string> = { none: "nothing", user: "a user", root: "root" };

export const privilegeWord = (p: string): string => privileges[p] ?? p;

/** stands says how it stands with a node. */
export function stands(n: PathNode): string {
  if (n.kind === "entry") return "where the attacker begins";
  if (n.kind === "site") return count(n.hosts, "host");
  if (!n.reached) return "not reached";
  return `${percent(n.chance)}, ${privilegeWord(n.privilege)}`;
}

/** besides is what the picture says by shape, place and colour, for those who hear the list. */
export const besides = (n: PathNode): string => [n.jewel && "a jewel", n.kind === "site" ? "a site" : n.site && `site ${n.site}`, n.on_path && n.kind !== "entry" && "on a best way to a jewel"].flatMap((w) => (w ? [`, ${w}`] : [])).join("");
