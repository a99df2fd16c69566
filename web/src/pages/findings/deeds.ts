// What people do to findings, what a row looks like after it, and how it is taken back.
import { count } from "../../ui/numbers";
import { wordOf } from "../../ui/words";
import type { Row } from "./reader";

export type TriageState = "none" | "confirmed" | "false_positive" | "accepted" | "out_of_scope";
export type Reach = "finding" | "host" | "everywhere";

/** Deed is one thing that is done to findings. */
export type Deed =
  | { do: "triage"; state: TriageState; reason?: string; until?: string; scope?: Reach }
  | { do: "assign"; to: string }
  | { do: "label"; label: string[] }
  | { do: "comment"; comment: string }
  | { do: "close"; reason: string };

/** Earlier is what a deed may change of a finding. */
export type Earlier = Pick<Row, "id" | "triage" | "triage_reason" | "triage_until" | "triage_rule" | "assignee" | "labels" | "state">;

/** needs says what a state of triage has to come with: a reason, a last day. */
export const needs = (state: TriageState) => ({ reason: state !== "none" && state !== "confirmed", until: state === "accepted" });

/** done is the row as it will be. */
export function done<R extends Earlier>(row: R, deed: Deed): R {
  switch (deed.do) {
    case "triage":
      return { ...row, triage: deed.state, triage_reason: deed.reason ?? null, triage_until: deed.until ?? null, triage_rule: null };
    case "assign":
      return { ...row, assignee: deed.to || null };
    case "label": {
      const off = deed.label.filter((l) => l.startsWith("-")).map((l) => l.slice(1));
      const on = deed.label.filter((l) => !l.startsWith("-"));
      return { ...row, labels: [...new Set([...row.labels, ...on])].filter((l) => !off.includes(l)).sort() };
    }
    case "close":
      return { ...row, state: "closed" };
    default:
      return row;
  }
}

/** lasting says that a deed cannot be taken back once the server has it: it is held back for a moment instead. */
export const lasting = (deed: Deed): boolean => deed.do === "comment" || deed.do === "close";

/** back is what brings each finding to what it was: one deed for all that were alike. */
export function back(deed: Deed, before: readonly Earlier[], today = new Date().toISOString().slice(0, 10)): { deed: Deed; ids: number[] }[] {
  const alike = new Map<string, { deed: Deed; ids: number[] }>();
  for (const row of before) {
    const undo = undoOf(deed, row, today);
    if (!undo) continue;
    const key = JSON.stringify(undo);
    const there = alike.get(key);
    if (there) there.ids.push(row.id);
    else alike.set(key, { deed: undo, ids: [row.id] });
  }
  return [...alike.values()];
}

function undoOf(deed: Deed, row: Earlier, today: string): Deed | null {
  if (deed.do === "assign") return (row.assignee ?? "") === deed.to ? null : { do: "assign", to: row.assignee ?? "" };
  if (deed.do === "label") {
    const label = deed.label.flatMap((l) => {
      const name = l.replace(/^-/, "");
      const had = row.labels.includes(name);
      if (l.startsWith("-")) return had ? [name] : [];
      return had ? [] : [`-${name}`];
    });
    return label.length > 0 ? { do: "label", label } : null;
  }
  if (deed.do !== "triage") return null;
  // What a rule said, it says again; and what was over would be refused.
  const over = row.triage_until !== null && row.triage_until.slice(0, 10) < today;
  if (row.triage === "none" || row.triage_rule !== null || over) return { do: "triage", state: "none" };
  const state = row.triage as TriageState;
  const need = needs(state);
  return {
    do: "triage",
    state,
    ...(row.triage_reason ? { reason: row.triage_reason } : {}),
    ...(row.triage_until && (need.until || need.reason) ? { until: row.triage_until.slice(0, 10) } : {}),
  };
}

/** saying is what was done, in words for a toast. */
export function saying(deed: Deed, n: number): string {
  const what = count(n, "finding");
  switch (deed.do) {
    case "triage":
      if (deed.state === "none") return `Triage of ${what} taken back.`;
      return `${what}: ${wordOf(deed.state).toLowerCase()}${deed.until ? ` until ${deed.until}` : ""}${deed.scope === "host" ? ", whatever the port" : deed.scope === "everywhere" ? ", on every host" : ""}.`;
    case "assign":
      return deed.to ? `${what} assigned to ${deed.to}.` : `${what} assigned to nobody.`;
    case "label":
      return `${what}: labels ${deed.label.map((l) => (l.startsWith("-") ? `without ${l.slice(1)}` : l)).join(", ")}.`;
    case "comment":
      return `Comment on ${what}.`;
    default:
      return `${what} closed, until a scanner sees ${n === 1 ? "it" : "them"} again.`;
  }
}
