// What is to be done now, in one or two plain sentences.
import type { Schema } from "../../api/client";
import { count } from "../../ui/numbers";
import { daysLeft } from "../../ui/when";

type Today = Schema<"Today">;

/** Words is a stretch of a sentence; with filter it leads to those findings. */
export type Words = { text: string; filter?: Record<string, unknown> };

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" });
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });

/** dayName is a calendar day as people say it: today, tomorrow, Thursday, 6 December. */
export function dayName(day: string, now = Date.now()): string {
  const left = daysLeft(day, now);
  if (left === 0) return "today";
  if (left === 1) return "tomorrow";
  const date = new Date(day + "T00:00:00Z");
  return left > 1 && left < 7 ? weekday.format(date) : dayMonth.format(date);
}

/** dayAfter is the calendar day after a day. */
export const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

/** headline says what is due within days, or how long there is time. */
export function headline(today: Today, now = Date.now()): Words[] {
  const { urgent, overdue, counts } = today;
  if (urgent.findings > 0 && urgent.by) return needed(urgent.findings, urgent.hosts, urgent.kev, urgent.by, overdue, now);
  const next = today.due_soon.find((d) => d.findings > 0);
  if (next?.day) {
    return [{ text: "Nothing needs action today. " }, { text: count(next.findings, "finding"), filter: { due_before: dayAfter(next.day) } }, { text: ` ${next.findings === 1 ? "is" : "are"} due next, by ${dayName(next.day, now)}.` }];
  }
  if (counts.confirmed > 0) {
    return [{ text: "Nothing is urgent. " }, { text: count(counts.confirmed, "open finding"), filter: {} }, { text: ` can wait for planned work.` }];
  }
  const potential = counts.total - counts.confirmed;
  if (potential > 0) return [{ text: "No finding is confirmed. " }, { text: count(potential, "potential one"), filter: { potential: true } }, { text: potential === 1 ? " waits for better evidence." : " wait for better evidence." }];
  return [{ text: "No open finding is known." }];
}

function needed(findings: number, hosts: number, kev: number, by: string, overdue: number, now: number): Words[] {
  const filter = { due_before: dayAfter(by) };
  const one = findings === 1;
  const all: Words[] = [{ text: `${count(findings, "finding")} on ${count(hosts, "host")}`, filter }];
  if (overdue >= findings) all.push({ text: one ? " is overdue." : " are overdue." });
  else {
    all.push({ text: ` ${one ? "needs" : "need"} action by ${dayName(by, now)}` });
    if (overdue > 0) all.push({ text: ", " }, { text: overdue.toLocaleString(), filter: { overdue: true } }, { text: overdue === 1 ? " is overdue already." : " are overdue already." });
    else all.push({ text: "." });
  }
  if (kev > 0) all.push({ text: " Attackers use " }, { text: share(kev, findings), filter: { ...filter, kev: true } }, { text: "." });
  return all;
}

function share(part: number, whole: number): string {
  if (part >= whole) return whole === 1 ? "it" : whole === 2 ? "both" : "all of them";
  return part === 1 ? "one of them" : `${part.toLocaleString()} of them`;
}
