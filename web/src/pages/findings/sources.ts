// Where a sentence about a finding comes from, in the names that people know.
import type { Schema } from "../../api/client";

type Known = Pick<Schema<"Vulnerability">, "cvss_source" | "cvss_version" | "likelihood_source" | "evidence"> & { cve_facts: Pick<Schema<"CVE">, "kev_added" | "epss_date" | "exploits" | "provenance" | "likelihood_source"> | null };

const publishers: Record<string, string> = {
  nvd: "NVD", cvelist: "CVE list", kev: "CISA KEV", epss: "EPSS", ssvc: "CISA SSVC", exploitdb: "Exploit-DB", metasploit: "Metasploit", nuclei: "Nuclei", attack: "MITRE ATT&CK", ctid: "CTID",
  cwe: "CWE", debian: "Debian", osv: "OSV", nessus: "Nessus", openvas: "OpenVAS", nmap: "Nmap", nikto: "Nikto", native: "PatchScout", generated: "PatchScout", estimated: "PatchScout's estimate",
};

/** publisherOf is how a source is called. */
export const publisherOf = (source: string): string => publishers[source] ?? source;

/** sourcesOf says who stands behind a sentence: each once, with the day of what they said where it is known. */
export function sourcesOf(fields: readonly string[], of: Known): string[] {
  const facts = of.cve_facts;
  const all = fields.flatMap((field): string[] => {
    const root = field.split(".")[0] ?? field;
    switch (root) {
      case "kev":
        return [dated("CISA KEV", facts?.kev_added)];
      case "likelihood":
      case "epss":
        return (facts?.likelihood_source ?? of.likelihood_source) === "estimated" ? ["PatchScout's estimate"] : [dated("EPSS", facts?.epss_date)];
      case "exploits":
        return [...new Set((facts?.exploits ?? []).map((e) => publisherOf(e.source)))];
      case "decision":
      case "forensics":
        return ["CISA BOD 26-04"];
      case "ssvc":
        return ["CISA SSVC"];
      case "check":
      case "evidence":
        return [...new Set(of.evidence.map((e) => publisherOf(e.scanner)))];
      default: {
        const said = facts?.provenance.find((p) => p.field === field) ?? facts?.provenance.find((p) => p.field === root);
        if (root === "cvss" && of.cvss_source) return [dated(`CVSS ${of.cvss_version ?? ""} by ${of.cvss_source}`.replace("  ", " "), said?.date)];
        return said ? [dated(publisherOf(said.source), said.date)] : [];
      }
    }
  });
  return [...new Set(all)];
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** dayOf is a calendar day of a feed as people write it. */
export function dayOf(date: string): string {
  const at = new Date(date);
  return Number.isNaN(at.getTime()) ? date : day.format(at);
}

const dated = (name: string, date: string | null | undefined) => (date ? `${name}, ${dayOf(date)}` : name);

/** assumptions are inputs of the decision that nobody knew; the value with the earlier date was taken. */
export const assumptions: Record<string, string> = {
  exposed: "that the internet reaches it",
  automatable: "that an attack can be automated",
  technical_impact: "that an attack takes the whole system over",
  kev: "that it is known to be exploited",
};

/** webAddress is an address that a link may lead to, or nothing. */
export function webAddress(url: string | null | undefined): string | null {
  if (!url) return null;
  try {
    const u = new URL(url);
    return u.protocol === "https:" || u.protocol === "http:" ? u.href : null;
  } catch {
    return null;
  }
}
