// How an answer is shown, worked out apart from the showing.
import { ago } from "../../ui/when";
import type { Answer, Facts, Source } from "./kinds";

/** sureWords is how likely an answer is right. */
export const sureWords: Record<string, { word: string; tone: "good" | "medium" | "high" }> = {
  high: { word: "High confidence", tone: "good" },
  medium: { word: "Medium confidence", tone: "medium" },
  low: { word: "Low confidence", tone: "high" },
};

/** readAs is how the question was read, where the asker should look at it: a word was read as another, or it is not sure. */
export function readAs(answer: Pick<Answer, "question" | "understood" | "corrected"> & { sure?: string }): boolean {
  if (answer.corrected.length > 0) return true;
  return answer.understood !== "" && answer.sure !== undefined && answer.sure !== "high" && bare(answer.understood) !== bare(answer.question);
}

const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}.-]+/gu, " ").trim();

const feeds: Record<string, string> = { kev: "KEV", epss: "EPSS", nvd: "NVD", cvelist: "CVE list", ssvc: "SSVC", attack: "ATT&CK", cwe: "CWE", osv: "OSV" };
const called = (name: string) => feeds[name] ?? name;

/** newlyMissing is what is missing, as far as the words do not say it themselves. */
export const newlyMissing = (answer: Pick<Answer, "missing" | "answer">) => answer.missing.filter((m) => !bare(answer.answer).includes(bare(m)));

/** staleWords say which data is old or missing; null when all is fresh. */
export function staleWords(data: Answer["data"], now = Date.now()): string | null {
  const old = data.filter((d) => d.stale || !d.at);
  if (old.length === 0) return null;
  return old.map((d) => `${called(d.name)} ${d.at ? `of ${ago(Date.parse(d.at), now)}` : "missing"}${d.note ? ` (${d.note})` : ""}`).join("; ");
}

/** freshWords say how old the data is, all of it. */
export function freshWords(data: Answer["data"], now = Date.now()): string {
  return data.map((d) => `${called(d.name)} ${d.at ? ago(Date.parse(d.at), now) : "none"}`).join("; ");
}

export type Way = { to: string; name: string };

/** waysOn are the pages where a refused question's data can be had. */
export function waysOn(answer: Pick<Answer, "missing" | "link" | "refused" | "answer">): Way[] {
  const says = answer.missing.join(" ").toLowerCase();
  const ways: Way[] = [];
  const when = (words: RegExp, to: string, name: string) => words.test(says) && ways.push({ to, name });
  when(/\bfeeds?\b|sync|\bkev\b|\bepss\b|nvd|att&ck|catalogue/, "/threats?tab=feeds", "Feeds");
  when(/scanned|\bscans?\b|host|service|inventory/, "/scans?start=true", "Start a scan");
  when(/report|import/, "/import", "Import a report");
  when(/path|jewel/, "/paths", "Attack paths");
  if (answer.link && !ways.some((w) => w.to === answer.link)) ways.unshift({ to: answer.link, name: "Open the page" });
  return ways.slice(0, 3);
}

/** hasTable says whether the facts say more as a table than the answer's own list does. */
export function tableOf(facts: Facts | null): { items: Facts["items"]; counts: boolean; values: boolean } | null {
  if (!facts || facts.items.length < 2) return null;
  return { items: facts.items, counts: facts.items.some((i) => i.count !== null), values: facts.items.some((i) => i.value) };
}

const homes: Record<string, string> = { host: "/assets/", finding: "/findings/", cve: "/catalogue/", technique: "/threats/", scan: "/scans/" };

/** homeOf is the page of a thing that the facts name, and null where it has none. */
export const homeOf = (kind: string, id: string) => (Object.hasOwn(homes, kind) && /^[A-Za-z0-9.-]{1,60}$/.test(id) ? homes[kind] + id : null);

const escaped = (text: string) => text.replace(/[\u0000-\u001f\u007f]+/g, " ").replace(/([\\`*_[\]<>#|])/g, "\\$1");

/** markdownOf is an answer for a ticket or a mail: its words, then its sources with whole addresses. */
export function markdownOf(answer: Pick<Answer, "question" | "answer" | "sources" | "at">, base: string): string {
  const lines = [`**${escaped(answer.question)}**`, "", answer.answer.trim()];
  if (answer.sources.length > 0) lines.push("", ...answer.sources.map((s) => `${s.n}. ${sourceLine(s, base)}`));
  return lines.join("\n") + "\n";
}

function sourceLine(source: Source, base: string): string {
  const to = insideOf(source.url);
  const name = escaped(nameOf(source));
  const from = source.from ? `, ${escaped(source.from)}` : "";
  const day = source.at ? `, ${source.at.slice(0, 10)}` : "";
  return (to ? `[${name}](${new URL(to.slice(1), base).href.replace(/[()]/g, encodeURIComponent)})` : name) + from + day;
}

/** nameOf is what a source is called: its id where that says something to people, and its title. */
export function nameOf(source: Pick<Source, "kind" | "id" | "title">): string {
  const telling = source.kind === "cve" || source.kind === "technique" || source.kind === "weakness";
  if (!source.title) return source.id;
  return telling && !source.title.includes(source.id) ? `${source.id} ${source.title}` : source.title;
}

/** insideOf is an address on this server, and null for anything that leads elsewhere. */
export function insideOf(url: string | null | undefined): string | null {
  return url && /^\/(?![/\\])[^\u0000-\u0020\\]*$/.test(url) ? url : null;
}

const pages = /^\/(findings|assets|paths|scans|import|catalogue|threats|settings|ask)?(\/|\?|#|$)/;

/** isPage says whether an address of this server is one of these pages; others (documents) are opened beside them. */
export const isPage = (url: string) => pages.test(url);
