// Whether what PatchScout knows is fresh, and what it means where it is not.
import type { Schema } from "../../api/client";
import { ago } from "../../ui/when";

type Feed = Schema<"FeedState">;

/** Trouble is what is wrong with a feed, and what that means for what is shown. */
export type Trouble = { feeds: string[]; name: string; says: string; means: string; bad: boolean };

/** means is what old data mean, without what its complete absence means where that is something else. */
type About = { name: string; means: string; without?: string; rank: number };

const abouts: Record<string, About> = {
  nvd: { name: "NVD", means: "newer CVEs, and newer version ranges, are not matched with your hosts", without: "no CVE of it can be matched with your hosts", rank: 1 },
  kev: { name: "KEV", means: "CVEs that attackers began to use since are not escalated", without: "what attackers use is not known, and escalates nothing", rank: 2 },
  epss: { name: "EPSS", means: "chances of attack are those of that day, and order lists accordingly", without: "chances of attack are PatchScout's own estimates, or missing", rank: 3 },
  cvelist: { name: "CVE list", means: "CVEs that NVD has not analysed yet may lack ranges and scores", rank: 4 },
  ssvc: { name: "SSVC", means: "CISA's word on active exploitation is missing from decisions", rank: 5 },
  debian: { name: "Debian tracker", means: "fixes that Debian brought back to old versions are not seen", rank: 5 },
  osv: { name: "OSV", means: "weaknesses of packages may be missing", rank: 5 },
  exploitdb: { name: "Exploit-DB", means: "newer public exploits are not shown", rank: 6 },
  metasploit: { name: "Metasploit", means: "newer exploit modules are not shown", rank: 6 },
  nuclei: { name: "Nuclei", means: "newer checks are not shown beside CVEs", rank: 6 },
  attack: { name: "ATT&CK", means: "techniques may lack names", rank: 7 },
  ctid: { name: "CTID", means: "CVEs may lack techniques", rank: 7 },
  cwe: { name: "CWE", means: "weaknesses may lack names", rank: 7 },
  urlhaus: { name: "URLhaus", means: "its indicators are not recognised", rank: 8 },
  threatfox: { name: "ThreatFox", means: "its indicators are not recognised", rank: 8 },
  feodo: { name: "Feodo Tracker", means: "its indicators are not recognised", rank: 8 },
  malwarebazaar: { name: "MalwareBazaar", means: "its indicators are not recognised", rank: 8 },
};

export const feedName = (feed: string): string => abouts[feed]?.name ?? feed;

const aboutOf = (feed: string): About => abouts[feed] ?? { name: feed, means: "what it would add is missing", rank: 9 };

// Publishers that bring something new every working day: when their newest record is old, the copy that was loaded was.
const daily: Record<string, number> = { nvd: 4, epss: 4, kev: 21 };

const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** ageOf is an age in words: "12 days". */
export function ageOf(hours: number): string {
  const say = (n: number, unit: string) => `${n.toLocaleString()} ${unit}${n === 1 ? "" : "s"}`;
  if (hours < 1) return say(Math.max(1, Math.round(hours * 60)), "minute");
  if (hours < 48) return say(Math.round(hours), "hour");
  return hours < 24 * 700 ? say(Math.round(hours / 24), "day") : say(Math.round(hours / 24 / 365), "year");
}

/** troublesOf are the feeds whose data is missing or old, the most important first; those that could only not be refreshed come last, as one. */
export function troublesOf(feeds: Feed[], now = Date.now()): Trouble[] {
  const on = feeds.filter((f) => f.enabled).sort((a, b) => aboutOf(a.feed).rank - aboutOf(b.feed).rank);
  const troubles: Trouble[] = [];
  const never: Feed[] = [];
  const failing: Feed[] = [];
  for (const f of on) {
    const { name, means, without, rank } = aboutOf(f.feed);
    const add = (says: string, meaning = means) => troubles.push({ feeds: [f.feed], name, says, means: meaning, bad: rank <= 3 });
    if (f.starter) add(`is the small starter of ${date.format(new Date(f.starter))}`);
    else if (f.records === 0 && !f.last_good_at) rank <= 5 ? add("was never loaded", without) : never.push(f);
    else if (f.stale && f.age_hours !== null) add(`is ${ageOf(f.age_hours)} old`);
    else if (old(f, now)) add(`has nothing newer than ${date.format(new Date(f.newest!))}`);
    else if (f.status === "failed") failing.push(f);
  }
  if (never.length > 0) troubles.push({ feeds: never.map((f) => f.feed), name: names(never), says: never.length === 1 ? "was never loaded" : "were never loaded", means: meansOf(never), bad: false });
  if (failing.length > 0) troubles.push({ feeds: failing.map((f) => f.feed), name: names(failing), says: "could not be refreshed at the last try", means: `what was loaded ${sinceWhen(failing, now)} still stands`, bad: false });
  return troubles;
}

function old(f: Feed, now: number): boolean {
  const days = daily[f.feed];
  return days !== undefined && f.newest !== null && now - Date.parse(f.newest) > (days + 1) * 86_400_000;
}

function names(feeds: Feed[]): string {
  const all = feeds.map((f) => feedName(f.feed));
  return all.length > 4 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all.at(-1)}` : all[0]!;
}

const meansOf = (feeds: Feed[]): string => (feeds.length === 1 ? aboutOf(feeds[0]!.feed).means : [...new Set(feeds.map((f) => aboutOf(f.feed).means))].length === 1 ? aboutOf(feeds[0]!.feed).means.replace("its", "their") : "what they would add is missing");

function sinceWhen(feeds: Feed[], now: number): string {
  const times = feeds.flatMap((f) => (f.last_good_at ? [Date.parse(f.last_good_at)] : []));
  return times.length > 0 ? ago(Math.min(...times), now) : "before";
}

/** freshness is one sentence on feeds without trouble. */
export function freshness(feeds: Feed[]): string {
  const loaded = feeds.filter((f) => f.enabled && f.age_hours !== null).sort((a, b) => b.age_hours! - a.age_hours!);
  const oldest = loaded[0];
  if (!oldest) return "No feed is on.";
  return `All ${loaded.length} feeds are fresh. The oldest is ${feedName(oldest.feed)}, loaded ${ageOf(oldest.age_hours!)} ago.`;
}
