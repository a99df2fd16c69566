// What a CVE's page says in words that no answer of the server has: what a sentence rests on, and what happened when.
import type { Schema } from "../../api/client";

const fields: Record<string, string> = {
  id: "its number", status: "the record's status", title: "its title", description: "the publisher's description", cwes: "its weaknesses (CWE)", configurations: "the affected versions",
  affected: "the affected versions", references: "its references", ratings: "ratings in words", exploited_by: "reports of use", check: "the check", cvss: "CVSS", epss: "EPSS", likelihood: "PatchScout's estimate",
  kev: "CISA's list of exploited CVEs", ssvc: "CISA's assessment (SSVC)", exploits: "public exploits", decision: "the decision table (BOD 26-04)", forensics: "the decision table (BOD 26-04)",
  exposed: "what is known of exposure", assumed: "assumptions", due: "the due date", weakness: "its weaknesses (CWE)", feeds: "the loaded feeds",
};

/** restsOn names what a sentence rests on, each once, in the order of the sentence's fields. */
export function restsOn(sentence: Schema<"Sentence">): string[] {
  const names = sentence.fields.map((f) => fields[f] ?? fields[f.split(".")[0] ?? ""] ?? f);
  return [...new Set(names)];
}

const origins: Record<string, string> = { cvss: "cvss", description: "description", cwes: "cwes", weakness: "cwes", configurations: "configurations", affected: "configurations", references: "references", title: "title", status: "status" };

/** sourcesOf says who published what a sentence rests on, with the newest day: "NVD, 14 Sep 2024". */
export function sourcesOf(sentence: Schema<"Sentence">, provenance: Schema<"Provenance">[]): { source: string; date: string | null }[] {
  const wanted = new Set(sentence.fields.map((f) => origins[f.split(".")[0] ?? ""]).filter(Boolean));
  const found = new Map<string, string | null>();
  for (const p of provenance) {
    if (!wanted.has(p.field)) continue;
    const old = found.get(p.source);
    if (old === undefined || (p.date !== null && (old === null || p.date > old))) found.set(p.source, p.date);
  }
  return [...found].map(([source, date]) => ({ source, date }));
}

const publishers: Record<string, string> = {
  nvd: "NVD", "nvd@nist.gov": "NVD", cvelist: "CVE list", kev: "CISA KEV", epss: "EPSS", ssvc: "CISA SSVC", exploitdb: "Exploit-DB", metasploit: "Metasploit", nuclei: "Nuclei", attack: "MITRE ATT&CK", ctid: "CTID", cwe: "CWE",
  generated: "PatchScout", debian: "Debian", osv: "OSV", urlhaus: "URLhaus", threatfox: "ThreatFox", feodo: "Feodo Tracker", malwarebazaar: "MalwareBazaar", "cisa-adp": "CISA", "CISA-ADP": "CISA",
  "134c704f-9b21-4f2e-91b3-4a467353bcc0": "CISA", derived: "PatchScout, from the weakness",
};

/** publisherOf is a source as people call it. */
export const publisherOf = (source: string) => publishers[source] ?? source;

/** feedOf names the abbreviations of feeds as they are written on pages. */
export const providerOf = (provider: string) => ({ cna: "the publisher", adp: "an enricher", nvd: "NVD" })[provider] ?? provider;

export type Moment = { day: string; what: string; more?: string };

/** timelineOf is what happened when, oldest first; first is the day of your first finding. */
export function timelineOf(cve: Schema<"CVE">, first?: string | null): Moment[] {
  const moments: Moment[] = [];
  const add = (day: string | null | undefined, what: string, more?: string) => {
    if (day) moments.push({ day: day.slice(0, 10), what, more });
  };
  add(cve.published, "Published");
  const exploit = cve.exploits.filter((e) => e.published).sort((a, b) => (a.published! < b.published! ? -1 : 1))[0];
  add(exploit?.published, "First public exploit", exploit && publisherOf(exploit.source));
  add(cve.kev_added, "Known to be exploited", "CISA KEV");
  add(cve.kev_due, "CISA's deadline for US agencies");
  add(cve.ssvc?.date, "Assessed by CISA", cve.ssvc?.exploitation ? `exploitation: ${cve.ssvc.exploitation}` : undefined);
  add(cve.epss_date, "Newest EPSS forecast");
  add(cve.modified !== cve.published ? cve.modified : null, "Record changed");
  add(first, "First seen on your hosts");
  const order = moments.map((m, i) => ({ m, i }));
  return order.sort((a, b) => (a.m.day < b.m.day ? -1 : a.m.day > b.m.day ? 1 : a.i - b.i)).map((o) => o.m);
}

/** webOf is an address that may be opened: http and https only, null for anything else. */
export function webOf(url: string | null | undefined): URL | null {
  if (!url || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed : null;
}

/** cveOf is a CVE's id as it is written, null for what is none. */
export function cveOf(text: string): string | null {
  const id = text.trim().toUpperCase();
  return /^CVE-\d{4}-\d{4,19}$/.test(id) ? id : null;
}

const metrics: Record<string, [string, Record<string, string>]> = {
  AV: ["Reached", { N: "over the network", A: "from the same network", L: "on the machine itself", P: "by touching it" }],
  AC: ["Difficulty", { L: "low", H: "high", M: "medium" }],
  AT: ["Preconditions", { N: "none", P: "some" }],
  PR: ["Login needed", { N: "none", L: "an ordinary one", H: "an administrator's" }],
  Au: ["Login needed", { N: "none", S: "one", M: "several" }],
  UI: ["Somebody's help", { N: "none", R: "needed", P: "passive", A: "active" }],
  S: ["Reaches beyond itself", { U: "no", C: "yes" }],
};

/** vectorWords spells the metrics out that say how an attack goes. */
export function vectorWords(vector: string | null | undefined): [string, string][] {
  const out: [string, string][] = [];
  for (const part of (vector ?? "").replace(/[()]/g, "").split("/")) {
    const [metric, value] = part.split(":");
    const known = metrics[metric ?? ""];
    const word = known?.[1][value ?? ""];
    if (known && word) out.push([known[0], word]);
  }
  return out;
}
