// What the list of findings can be narrowed by: one line per filter of the API, in the words of the page.
import type { Schema } from "../../api/client";
import { wordOf } from "../../ui/words";

export type Filter = Schema<"FindingFilter">;
export type FilterName = keyof Filter;

/** Field is one filter: how it is called, what may be given, and in which part of the list of filters it stands. */
export type Field = { name: FilterName; label: string; about?: string } & (
  | { kind: "one"; options: readonly string[] }
  | { kind: "some"; options: readonly string[] }
  | { kind: "text"; most: number; example?: string; nobody?: boolean }
  | { kind: "words"; most: number; digits?: boolean; example?: string }
  | { kind: "yes" }
  | { kind: "day" }
  | { kind: "number"; from: number; to: number; unit?: string; step?: number }
);

/** groups are the filters in the order in which people look for them. */
export const groups: { title: string; fields: Field[] }[] = [
  {
    title: "Urgency",
    fields: [
      { name: "decision", label: "Decision", kind: "some", options: ["act", "attend", "plan", "track"] },
      { name: "severity", label: "Severity", kind: "some", options: ["critical", "high", "medium", "low", "info", "unknown"] },
      { name: "kev", label: "Known exploited", kind: "yes", about: "CISA lists the CVE as exploited" },
      { name: "exploited", label: "Exploited by any source", kind: "yes", about: "CISA or another source says that it is exploited" },
      { name: "min_cvss", label: "CVSS at least", kind: "number", from: 0, to: 10, step: 0.1 },
      { name: "min_epss", label: "EPSS at least", kind: "number", from: 0, to: 100, unit: "%", step: 1 },
      { name: "min_risk", label: "Risk removed at least", kind: "number", from: 0, to: 1000, step: 0.05 },
      { name: "overdue", label: "Overdue", kind: "yes", about: "open, and due before today" },
      { name: "due_before", label: "Due before", kind: "day" },
      { name: "sla_overdue", label: "Overdue by your terms", kind: "yes", about: "by the terms in the settings" },
      { name: "sla_before", label: "Due by your terms before", kind: "day" },
    ],
  },
  {
    title: "Where",
    fields: [
      { name: "host", label: "Host", kind: "text", most: 255, example: "192.168.1.20" },
      { name: "site", label: "Site", kind: "text", most: 63, example: "default" },
      { name: "owner", label: "Owner", kind: "text", most: 255, nobody: true, example: "web" },
      { name: "tag", label: "Host tag", kind: "words", most: 20, example: "dmz" },
      { name: "criticality", label: "Host criticality", kind: "some", options: ["critical", "high", "medium", "low", "minimal", "none"] },
      { name: "port", label: "Port", kind: "words", most: 100, digits: true, example: "443" },
      { name: "protocol", label: "Protocol", kind: "some", options: ["tcp", "udp", "sctp", "host"] },
    ],
  },
  {
    title: "What",
    fields: [
      { name: "cve", label: "CVE or check", kind: "text", most: 512, example: "CVE-2024-6387" },
      { name: "product", label: "Product", kind: "text", most: 255, example: "openssh" },
      { name: "component", label: "Package", kind: "text", most: 512, example: "openssl" },
      { name: "remedy", label: "What to do", kind: "text", most: 512, example: "upgrade:openbsd:openssh" },
      { name: "kind", label: "Kind", kind: "some", options: ["vulnerability", "compliance"] },
      { name: "scanner", label: "Scanner", kind: "text", most: 63, example: "nmap" },
      { name: "scan", label: "Scan", kind: "number", from: 1, to: Number.MAX_SAFE_INTEGER, step: 1 },
    ],
  },
  {
    title: "Work",
    fields: [
      { name: "state", label: "State", kind: "one", options: ["open", "reopened", "fixed", "closed", "all"] },
      { name: "triage", label: "Triage", kind: "some", options: ["none", "confirmed", "false_positive", "accepted", "out_of_scope"] },
      { name: "hidden", label: "With what was set aside", kind: "yes", about: "also false positives, accepted risks and what is out of scope" },
      { name: "assignee", label: "Assigned to", kind: "text", most: 255, nobody: true, example: "anna" },
      { name: "label", label: "Label", kind: "words", most: 20, example: "web" },
    ],
  },
  {
    title: "When seen",
    fields: [
      { name: "first_seen_after", label: "First seen since", kind: "day" },
      { name: "first_seen_before", label: "First seen before", kind: "day" },
      { name: "last_seen_after", label: "Last seen since", kind: "day" },
      { name: "last_seen_before", label: "Last seen before", kind: "day" },
      { name: "closed_after", label: "Not open any more since", kind: "day", about: "together with the state: fixed, or closed" },
      { name: "returned_after", label: "Came back since", kind: "day" },
    ],
  },
  {
    title: "How sure",
    fields: [
      { name: "potential", label: "Only potential", kind: "yes", about: "not confirmed: less sure than 70 %, or a condition is not known" },
      { name: "confirmed", label: "Confirmed", kind: "yes" },
      { name: "confidence", label: "Confidence at least", kind: "number", from: 0, to: 100, unit: "%", step: 1 },
      { name: "status", label: "Match", kind: "some", options: ["affected", "conditional", "uncertain", "unaffected"] },
    ],
  },
];

const byName = new Map(groups.flatMap((g) => g.fields).map((f) => [f.name as string, f]));

/** fieldOf is the filter of a name; search has none, it is the box. */
export const fieldOf = (name: string): Field | undefined => byName.get(name);

const stateNames: Record<string, string> = { all: "Open and closed", host: "No port", none: "None" };

/** optionWord is how a value of a filter is called. */
export function optionWord(field: Field, value: string): string {
  if (field.name === "triage") return wordOf(value);
  if (field.name === "protocol" && value !== "host") return value.toUpperCase();
  return stateNames[value] ?? wordOf(value);
}

const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** inWords is a filter as its chip says it: "Severity: Critical or High", "Overdue". */
export function inWords(name: FilterName, filter: Filter): string {
  const value = filter[name];
  const field = fieldOf(name);
  if (!field) return `“${String(value)}”`;
  if (name === "confirmed") return value === false ? "With potential findings" : "Only confirmed";
  if (field.kind === "yes") return value === false ? `Not: ${field.label.toLowerCase()}` : field.label;
  if (Array.isArray(value)) {
    const all = name === "label" || name === "tag";
    return `${field.label}: ${value.map((v) => (field.kind === "some" ? optionWord(field, v) : v)).join(all ? " and " : " or ")}`;
  }
  if (field.kind === "day") return `${field.label} ${String(value).length > 10 ? moment.format(new Date(String(value))) : date.format(new Date(`${String(value)}T00:00:00Z`))}`;
  if (name === "min_epss") return `${field.label} ${Number((Number(value) * 100).toFixed(2))} %`;
  if (field.kind === "number") return `${field.label} ${String(value)}${field.unit ? ` ${field.unit}` : ""}`;
  if (field.kind === "one") return `${field.label}: ${optionWord(field, String(value))}`;
  return `${field.label}: ${field.kind === "text" && field.nobody && value === "nobody" ? "nobody" : String(value)}`;
}
