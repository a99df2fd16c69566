// What the state of a feed comes to, in one word and a sentence.
import type { Schema } from "../../api/client";

type Feed = Schema<"FeedState">;

const known: Record<string, [name: string, says: string]> = {
  nvd: ["NVD", "CVEs with scores and affected versions"],
  cvelist: ["CVE List", "CVEs as their assigners wrote them"],
  kev: ["CISA KEV", "what is known to be exploited"],
  epss: ["EPSS", "chance of attacks within 30 days"],
  exploitdb: ["Exploit-DB", "published exploits"],
  metasploit: ["Metasploit", "exploit modules"],
  nuclei: ["Nuclei templates", "checks that prove a weakness"],
  attack: ["MITRE ATT&CK", "techniques of attackers"],
  ctid: ["CTID mappings", "exploited CVEs to techniques"],
  cwe: ["CWE", "kinds of weaknesses"],
  urlhaus: ["URLhaus", "addresses that spread malware"],
  threatfox: ["ThreatFox", "indicators of malware"],
  feodo: ["Feodo Tracker", "servers that control botnets"],
  malwarebazaar: ["MalwareBazaar", "hashes of malware"],
  debian: ["Debian", "what Debian fixed, and where"],
  osv: ["OSV", "advisories of package registries"],
};

/** nameOf is how a feed is called, saysOf what it tells. */
export const nameOf = (feed: string) => known[feed]?.[0] ?? feed;
export const saysOf = (feed: string) => known[feed]?.[1] ?? "records of your own";

export type Standing = { word: string; tone: "good" | "medium" | "high" | "info"; says: string };

/** standingOf is where a feed stands. A feed that failed keeps its old records, so a failure is trouble only with its age. */
export function standingOf(f: Feed): Standing {
  const failed = f.status === "failed";
  if (!f.enabled) return { word: "Off", tone: "info", says: "the configuration does not load it" };
  if (f.missing) return { word: "Needs a key", tone: "medium", says: f.missing };
  if (f.records === 0 && !f.last_good_at) return failed ? { word: "Failed", tone: "high", says: "it was never loaded, and the last attempt failed" } : { word: "Never loaded", tone: "medium", says: "nothing of it is known yet" };
  if (failed && f.stale) return { word: "Stale", tone: "high", says: "the last attempts failed; what is shown is old" };
  if (failed) return { word: "Last run failed", tone: "medium", says: "what was loaded before stands" };
  if (f.stale) return { word: "Stale", tone: "high", says: "it is older than twice its schedule" };
  if (f.starter) return { word: "Starter", tone: "medium", says: `from the starter catalogue of ${f.starter}; load it anew` };
  return { word: "Good", tone: "good", says: f.status === "unchanged" ? "nothing new at the last run" : "the last run was good" };
}

/** held says that a feed was held back because it would remove too much; it can be released. */
export const held = (f: Feed): boolean => /\bheld: /.test(f.error ?? "");

/** scheduleOf is when a feed is loaded, in words: "@every 6h" is "every 6 hours". */
export function scheduleOf(schedule: string | null): string {
  if (!schedule) return "only when you ask";
  const every = /^@every (\d+)(m|h)$/.exec(schedule);
  if (!every) return schedule.startsWith("@") ? schedule.slice(1) : schedule;
  const n = Number(every[1]);
  if (every[2] === "h" && n % 24 === 0) return n === 24 ? "every day" : n === 168 ? "every week" : `every ${n / 24} days`;
  const unit = every[2] === "h" ? "hour" : "minute";
  return n === 1 ? `every ${unit}` : `every ${n} ${unit}s`;
}

/** sumOf checks what every run owes: seen = new + changed + as before + rejected. */
export const sumOf = (r: Pick<Schema<"IngestionRun">, "inserted" | "updated" | "unchanged" | "rejected">) => r.inserted + r.updated + r.unchanged + r.rejected;

/** secondsOf is how long a run took, null while it runs. */
export function secondsOf(r: Pick<Schema<"IngestionRun">, "started_at" | "completed_at">): number | null {
  return r.started_at && r.completed_at ? Math.max(0, (Date.parse(r.completed_at) - Date.parse(r.started_at)) / 1000) : null;
}
