// What is on the screen, for questions about "this host" and "these findings".
import type { About } from "./kinds";

type Search = Record<string, unknown>;

// The server takes no longer id. Half of a filter would be another filter: then it is the page without any.
const longest = 200;

// The pages of one thing, by the first part of their address.
const things: Record<string, { kind: string; id: RegExp }> = {
  findings: { kind: "finding", id: /^\d{1,18}$/ },
  assets: { kind: "host", id: /^\d{1,18}$/ },
  scans: { kind: "scan", id: /^\d{1,18}$/ },
  catalogue: { kind: "cve", id: /^CVE-\d{4}-\d{4,19}$/i },
  threats: { kind: "technique", id: /^T\d{4}(\.\d{3})?$/i },
};

// Pages that show something of the estate or the catalogue, and what they are called in "about …".
const pages: Record<string, string> = {
  "": "today",
  findings: "these findings",
  assets: "these assets",
  paths: "these attack paths",
  scans: "these scans",
  import: "the imports",
  catalogue: "this search of the catalogue",
  threats: "these threats",
};

/** aboutOf reads an address below the base: "/assets/12". Settings and the page of questions itself are about nothing. */
export function aboutOf(path: string, search: Search): About | null {
  const [first = "", second] = path.replace(/^\/+|\/+$/g, "").split("/");
  if (second !== undefined) {
    const thing = things[first];
    const id = decoded(second);
    return thing?.id.test(id) ? { kind: thing.kind, id: thing.kind === "cve" || thing.kind === "technique" ? id.toUpperCase() : id } : null;
  }
  if (first === "findings" && /^\d{1,18}$/.test(String(search.open ?? ""))) return { kind: "finding", id: String(search.open) };
  if (first === "paths" && typeof search.path === "string" && search.path) return { kind: "path", id: search.path.slice(0, 100) };
  if (!Object.hasOwn(pages, first)) return null;
  const query = queryOf(search);
  return { kind: "page", id: "/" + first + (first.length + query.length < longest ? query : "") };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** queryOf is what is chosen on a page, as the address of a list has it. */
function queryOf(search: Search): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "" || name === "open") continue;
    query.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = query.toString();
  return text && "?" + text;
}

const nouns: Record<string, string> = { cve: "", finding: "finding ", host: "host ", scan: "scan ", technique: "technique ", path: "attack path " };

/** aboutWords is what the screen is called; name is what the thing is called where that is known. */
export function aboutWords(about: About, name?: string | null): string {
  if (about.kind !== "page") return (nouns[about.kind] ?? about.kind + " ") + (name || about.id);
  const [path = "", query] = about.id.slice(1).split("?");
  return (pages[path] ?? "this page") + (query ? " as filtered" : "");
}
