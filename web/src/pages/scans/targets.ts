// What people type into the form of a new scan, and what is sent of it.
import type { Schema } from "../../api/client";

export const mostTargets = 1000; // that the server takes in one scan

/** linesOf are the targets of a text: one a line, also by commas or blanks; each once, in their order. What follows a # is a note. */
export function linesOf(text: string): string[] {
  const words = text.split(/\r?\n/).flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/[\s,;]+/));
  return [...new Set(words.filter(Boolean))];
}

/** together are two addresses around a dash with blanks, as people write ranges: "10.0.0.1 - 10.0.0.9". */
export const together = (text: string): string => text.replace(/(?<=[\d.:a-f]) +[-–] +(?=[\d.:a-f])/gi, "-");

export const targetsOf = (text: string): string[] => linesOf(together(text));

export type Form = {
  targets: string;
  profile: "quick" | "standard" | "full" | "web";
  scanners: string[];
  site: string;
  ports: string;
  exclude: string;
  excludePorts: string;
  minutes: number | null; // one run of a tool
  baseline: number | null;
};

/** bodyOf is the request of a form. What is left as it was is left out: the server's configuration then decides. */
export function bodyOf(form: Form, usual: string[]): Schema<"InitiateInputBody"> {
  const [target, ...more] = targetsOf(form.targets);
  const config: Schema<"ScanConfig"> = {};
  if (more.length) config.targets = more;
  if (!same(form.scanners, usual)) config.scanners = form.scanners;
  if (form.site) config.site = form.site;
  if (form.ports.trim()) config.ports = form.ports.replace(/\s+/g, "");
  if (form.exclude.trim()) config.exclude = targetsOf(form.exclude);
  if (form.excludePorts.trim()) config.exclude_ports = form.excludePorts.replace(/\s+/g, "");
  if (form.minutes) config.timeout_s = Math.round(form.minutes * 60);
  if (form.baseline) config.baseline = form.baseline;
  return { target_url: target, scan_type: form.profile, config };
}

const same = (a: string[], b: string[]) => a.length === b.length && a.every((x) => b.includes(x));

/** wrongOf are the sentences of a refusal by the field of the form that they speak of; "" is the form as a whole. */
export function wrongOf(fields: { place: string; message: string }[]): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const f of fields) {
    const name = /(ports|exclude_ports|exclude|timeout_s|baseline|scanners|site|targets|target_url|target-url|scan_type)\b/.exec(f.place.split(".").slice(1).join(".") || f.place)?.[1];
    const key = name === "target_url" || name === "target-url" ? "targets" : (name ?? "");
    wrong[key] = wrong[key] ? `${wrong[key]}; ${f.message}` : f.message;
  }
  return wrong;
}

/** mayAllow says whether a rule could let a refused target be scanned: it names something, and is not what is never scanned. */
export function mayAllow(answer: Pick<Schema<"ScopeAnswer">, "allowed" | "denied" | "reason" | "target">): boolean {
  return !answer.allowed && answer.denied > 0 && !/never scanned/.test(answer.reason) && ruleOf(answer.target) !== null;
}

/** ruleOf is the network or name that a rule for a target would speak of; null where it takes several. */
export function ruleOf(target: string): string | null {
  const url = /^https?:\/\/(\[[^\]]+\]|[^/:?#]+)/i.exec(target);
  const host = (url ? url[1]! : target).replace(/^\[([^\]]+)\].*$/, "$1");
  if (/^[\d.]+\s*-\s*[\d.]+$/.test(host)) return null;
  if (/^[^:]+:\d+$/.test(host)) return host.replace(/:\d+$/, "");
  return host || null;
}
