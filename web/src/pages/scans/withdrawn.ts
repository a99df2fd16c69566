// What taking back comes to, in sentences.
import type { Schema } from "../../api/client";
import { count } from "../../ui/numbers";

const verb = (n: number, one: string, many: string) => (n === 1 ? one : many);

/** consequences are what taking back comes to, most telling first; there is always one. */
export function consequences(u: Schema<"Undone">): string[] {
  const lines: string[] = [];
  if (u.findings_gone) lines.push(`${count(u.findings_gone, "finding")} ${verb(u.findings_gone, "goes", "go")}: nothing else saw ${verb(u.findings_gone, "it", "them")}.`);
  if (u.reopened) lines.push(`${count(u.reopened, "finding")} ${verb(u.reopened, "opens", "open")} again: only this had closed ${verb(u.reopened, "it", "them")}.`);
  if (u.closed) lines.push(`${count(u.closed, "finding")} ${verb(u.closed, "is", "are")} closed.`);
  if (u.kept) lines.push(`${count(u.kept, "finding")} that somebody triaged ${verb(u.kept, "stays", "stay")}, closed, with the history.`);
  if (u.changed) lines.push(`${count(u.changed, "finding")} ${verb(u.changed, "loses", "lose")} this evidence and ${verb(u.changed, "is", "are")} judged by what others saw.`);
  if (u.hosts_gone) lines.push(`${u.hosts_gone.toLocaleString()} of ${count(u.hosts, "host")} ${verb(u.hosts_gone, "goes", "go")}: nothing else knows ${verb(u.hosts_gone, "it", "them")}.`);
  if (u.services_gone) lines.push(`${count(u.services_gone, "service")} ${verb(u.services_gone, "goes", "go")} from the inventory.`);
  if (lines.length === 0) lines.push("No finding, host or service changes.");
  return lines;
}
