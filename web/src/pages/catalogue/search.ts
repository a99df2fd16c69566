// What is asked of the catalogue, as it stands in the address.
import type { paths } from "../../api/schema";
import { oneOf, textOf, truthOf, type Raw } from "../../ui/chosen";
import { severities } from "../../ui/words";

type Query = NonNullable<paths["/api/v1/cves"]["get"]["parameters"]["query"]>;

export const exploits = ["", "any", "verified", "exploitdb", "metasploit", "nuclei", "remote", "local", "webapps", "dos"] as const;
export const sorts = ["", "relevance", "decision", "likelihood", "score", "date"] as const;

export type Look = {
  q: string;
  severity: (typeof severities)[number][];
  kev: boolean;
  ransomware: boolean;
  exploit: (typeof exploits)[number];
  sort: (typeof sorts)[number];
  vendor: string;
  product: string;
  cpe: string;
  cwe: string;
  technique: string;
  min_cvss: string;
  min_epss: string;
  published_after: string;
  published_before: string;
  modified_after: string;
  modified_before: string;
};

const wordsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : textOf(value).split(",")).map((w) => w.trim());

/** between is a number of the address that lies between two bounds, as text; "" without one. */
const between = (value: unknown, most: number) => {
  const text = textOf(value, 8).trim().replace(",", ".");
  const n = Number(text);
  return text !== "" && Number.isFinite(n) && n >= 0 && n <= most ? text : "";
};

const dayOf = (value: unknown) => {
  const text = textOf(value, 10);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : "";
};

const shaped = (value: unknown, shape: RegExp) => {
  const text = textOf(value, 20).trim().toUpperCase();
  return shape.test(text) ? text : "";
};

/** repair reads an address; what makes no sense is left out. */
export function repair(raw: Raw): Look {
  const words = wordsOf(raw.severity);
  return {
    q: textOf(raw.q, 500),
    severity: severities.filter((s) => words.includes(s)),
    kev: truthOf(raw.kev),
    ransomware: truthOf(raw.ransomware),
    exploit: oneOf(raw.exploit, exploits),
    sort: oneOf(raw.sort, sorts),
    vendor: textOf(raw.vendor).trim(),
    product: textOf(raw.product).trim(),
    cpe: textOf(raw.cpe, 1000).trim(),
    cwe: shaped(raw.cwe, /^(CWE-)?\d{1,5}$/).replace(/^(?=\d)/, "CWE-"),
    technique: shaped(raw.technique, /^T\d{4}(\.\d{3})?$/),
    min_cvss: between(raw.min_cvss, 10),
    min_epss: between(raw.min_epss, 1),
    published_after: dayOf(raw.published_after),
    published_before: dayOf(raw.published_before),
    modified_after: dayOf(raw.modified_after),
    modified_before: dayOf(raw.modified_before),
  };
}

/** queryOf is the question to the server. */
export function queryOf(look: Look): Query {
  const text = (s: string) => s || undefined;
  const number = (s: string) => (s === "" ? undefined : Number(s));
  return {
    query: text(look.q.trim()), vendor: text(look.vendor), product: text(look.product), cpe: text(look.cpe), cwe: text(look.cwe), technique: text(look.technique),
    severity: look.severity.length > 0 ? look.severity : undefined, kev: look.kev || undefined, ransomware: look.ransomware || undefined,
    exploit: look.exploit || undefined, sort: look.sort || undefined, min_cvss: number(look.min_cvss), min_epss: number(look.min_epss),
    published_after: text(look.published_after), published_before: text(look.published_before), modified_after: text(look.modified_after), modified_before: text(look.modified_before),
  };
}

const further = ["vendor", "product", "cpe", "cwe", "technique", "min_cvss", "min_epss", "published_after", "published_before", "modified_after", "modified_before"] as const;

/** furtherSet is how many of the filters that are folded away say something. */
export const furtherSet = (look: Look) => further.filter((k) => look[k] !== "").length;

/** cleared is the address without any filter. */
export const cleared = Object.fromEntries([...further, "q", "severity", "kev", "ransomware", "exploit"].map((k) => [k, undefined])) as Partial<Record<keyof Look, undefined>>;

/** anySet says whether anything is asked at all. */
export const anySet = (look: Look) => furtherSet(look) > 0 || look.q.trim() !== "" || look.severity.length > 0 || look.kev || look.ransomware || look.exploit !== "";

/** newsOf is the address of a feed that tells what is asked here, for feed readers; null when a feed cannot. */
export function newsOf(look: Look, format: "rss" | "atom"): string {
  const channel = look.kev ? "exploited" : look.severity.length === 1 && look.severity[0] === "critical" ? "critical" : "latest";
  const query = new URLSearchParams();
  if (look.vendor) query.set("vendor", look.vendor);
  if (look.product) query.set("product", look.product);
  if (look.q.trim()) query.set("search", look.q.trim().slice(0, 200));
  const text = query.toString();
  return `feeds/${channel}.${format}${text ? "?" + text : ""}`;
}
