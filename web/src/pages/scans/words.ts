// Sentences about scans.
import type { Schema } from "../../api/client";
import { count } from "../../ui/numbers";
import { took } from "../../ui/when";
import type { Heard, Status } from "./live";

/** profiles are what is looked at, in a sentence each. */
export const profiles = [
  { name: "quick", title: "Quick", says: "The 100 most frequent ports. Seconds for a host." },
  { name: "standard", title: "Standard", says: "The 1,000 most frequent ports. The usual choice." },
  { name: "full", title: "Full", says: "All 65,535 ports. Finds what hides; takes long." },
  { name: "web", title: "Web", says: "The ports of web servers and the URLs you name." },
] as const;

/** stateOf is the word for where a scan stands: paused and cancelled are states to people, not details of others. */
export function stateOf(scan: Pick<Status, "status" | "paused" | "reason">): string {
  if (scan.paused && (scan.status === "running" || scan.status === "pending")) return "paused";
  if (scan.status === "failed" && scan.reason === "cancelled") return "cancelled";
  if (scan.status === "failed" && scan.reason === "interrupted") return "interrupted";
  return scan.status;
}

/** seconds is how long a scan took, or has taken so far; null before it began. */
export function seconds(scan: Pick<Status, "started_at" | "completed_at">, now = Date.now()): number | null {
  if (!scan.started_at) return null;
  return Math.max(0, (scan.completed_at ? Date.parse(scan.completed_at) : now) - Date.parse(scan.started_at)) / 1000;
}

/** left is the time that is left, as one says it: nobody believes seconds of an estimate. */
export function left(eta: number | null | undefined): string | null {
  if (eta === null || eta === undefined) return null;
  if (eta < 10) return "a few seconds left";
  if (eta < 55) return `about ${Math.round(eta / 10) * 10} s left`;
  if (eta < 3300) return `about ${Math.max(1, Math.round(eta / 60))} min left`;
  const hours = eta / 3600;
  return `about ${hours < 9.5 ? Number(hours.toFixed(1)) : Math.round(hours)} h left`;
}

/** nameOf is a scan in the title of its page: its first targets. */
export function nameOf(scan: Pick<Status, "targets" | "target" | "kind">): string {
  const all = scan.targets?.length ? scan.targets : [scan.target];
  const names = scan.kind === "import" ? all.map(fileName) : all;
  return names.slice(0, 2).join(", ") + (names.length > 2 ? ` and ${(names.length - 2).toLocaleString()} more` : "");
}

/** fileName is the last part of a path. */
export const fileName = (path: string): string => path.split(/[\\/]/).filter(Boolean).pop() ?? path;

/** tellable is what a screen reader is told: a new stage, each quarter, the end. The same text is said once. */
export function tellable(scan: Pick<Status, "status" | "stage" | "progress" | "paused" | "reason" | "findings" | "hosts">, progress: Heard["progress"]): string {
  const state = stateOf(scan);
  if (state === "completed") return `The scan is over: ${count(scan.hosts, "host")} answered, ${count(scan.findings, "finding")}.`;
  if (scan.status === "failed") return `The scan ${state === "failed" ? "failed" : `was ${state}`}.`;
  if (state === "paused") return "The scan is paused.";
  if (state === "pending") return "The scan waits for its turn.";
  const quarter = Math.floor((progress?.percent ?? scan.progress) / 25) * 25;
  const stage = progress?.stage ?? scan.stage;
  return `${quarter === 0 ? "The scan runs" : `More than ${quarter} percent`}${stage ? `, ${stage}` : ""}.`;
}

/** lasted says how long a scan took, for the summary. */
export function lasted(scan: Pick<Status, "started_at" | "completed_at">): string | null {
  const s = seconds(scan);
  return s === null ? null : took(s);
}

/** scannerWord is how a scanner ended. */
export function scannerWord(scanner: Pick<Schema<"Scanner">, "status">): { word: string; tone: "good" | "medium" | "critical" | "info" } {
  switch (scanner.status) {
    case "completed": return { word: "Completed", tone: "good" };
    case "partial": return { word: "In part", tone: "medium" };
    case "failed": return { word: "Failed", tone: "critical" };
    case "unavailable": return { word: "Not available", tone: "critical" };
    case "running": return { word: "Running", tone: "info" };
    case "pending": return { word: "Waiting", tone: "info" };
    default: return { word: scanner.status.charAt(0).toUpperCase() + scanner.status.slice(1), tone: "info" };
  }
}

/** differences are what two scans can differ in, and what that means; a and b are the earlier and the later one. */
export const differences = {
  new: { title: "New", says: (a: number, b: number) => `Scan ${b} saw them, scan ${a} did not. What scan ${a} did not look at is new here, too.` },
  fixed: { title: "Fixed", says: (_: number, b: number) => `Scan ${b} looked again at the same host and port, for the same weakness, and it was gone.` },
  unchanged: { title: "Unchanged", says: () => "Both saw them." },
  not_looked: { title: "Not looked at", says: (_: number, b: number) => `Scan ${b} did not see them, but did not look there to its end either: the host was silent, the port or the scanner was not part of it, or it was stopped. That is not fixed; they stay as they were until something looks again.` },
} as const;
