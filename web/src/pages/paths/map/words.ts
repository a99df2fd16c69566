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

/** spoken is a node in one line for those who hear it. */
export function spoken(n: PathNode): string {
  if (n.kind === "entry") return `${n.name}, where the attacker begins`;
  if (n.kind === "site") return `site ${n.name}, ${count(n.hosts, "host")}`;
  const what = n.kind === "group" ? `${count(n.hosts, "host")} alike, such as ${likeOf(n)}` : n.name;
  return [what, n.jewel && "a jewel", n.site && `site ${n.site}`, n.reached ? `falls by ${percent(n.chance)}, the attacker is ${privilegeWord(n.privilege)}` : "not reached", n.on_path && "on a best path"].filter(Boolean).join(", ");
}
