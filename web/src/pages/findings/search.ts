// What is chosen on the page of findings, as it stands in its address. The names are those of the API, so that any page can
// link to a list by what it knows: /findings?decision=act&host=10.0.0.1. What does not fit is left out, never an error.
import { fieldOf, groups, type Filter, type FilterName } from "./fields";

export const sorts = ["rank", "severity", "cvss", "epss", "likelihood", "score", "due", "sla", "first_seen", "last_seen", "host", "risk_removed"] as const;
export type Sort = { by: (typeof sorts)[number]; asc: boolean };

export const groupings = ["remedy", "host", "cve", "product", "site", "owner", "assignee"] as const;
export type Grouping = (typeof groupings)[number];

/** Chosen is everything that is chosen on the page. */
export type Chosen = { filter: Filter; sort: Sort; group: Grouping | null; open: number | null };

type Search = Record<string, unknown>;

export const names: FilterName[] = ["search", ...groups.flatMap((g) => g.fields).map((f) => f.name)];

/** read understands an address. */
export function read(search: Search): Chosen {
  const filter: Record<string, unknown> = {};
  for (const name of names) {
    const value = valid(name, search[name]);
    if (value !== undefined) filter[name] = value;
  }
  const [by, way] = String(search.sort ?? "rank").split(":");
  const sort = sorts.find((s) => s === by) ?? "rank";
  const open = Number(search.open);
  return {
    filter: filter as Filter,
    sort: { by: sort, asc: way ? way === "asc" : ascends(sort) },
    group: groupings.find((g) => g === search.group) ?? null,
    open: Number.isSafeInteger(open) && open > 0 ? open : null,
  };
}

/** write is the address of what is chosen. Lists are joined by commas: they read better than brackets and quotes. */
export function write({ filter, sort, group, open }: Chosen): Search {
  const search: Search = {};
  for (const name of names) {
    const value = filter[name];
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    search[name] = Array.isArray(value) && !value.some((v) => v.includes(",")) ? value.join(",") : value;
  }
  if (sort.by !== "rank" || sort.asc !== ascends("rank")) search.sort = sortOf(sort);
  if (group) search.group = group;
  if (open) search.open = open;
  return search;
}

/** ascends says how a column is sorted first: what is due soon and names begin at the small end, all else at the large one. */
export const ascends = (by: Sort["by"]): boolean => by === "due" || by === "sla" || by === "host";

/** sortOf is the order as the API takes it. */
export const sortOf = (sort: Sort): string => (sort.asc === ascends(sort.by) ? sort.by : `${sort.by}:${sort.asc ? "asc" : "desc"}`);

/** asked is the filter that the server gets: without a word on how sure, it is what is confirmed. */
export function asked(filter: Filter): Filter {
  const f = { ...filter };
  if (sure(f)) f.confirmed = true;
  else if (f.confirmed === false) delete f.confirmed;
  return f;
}

/** counted is the filter of which both the confirmed and the potential ones are counted. */
export function counted(filter: Filter): Filter {
  const f = { ...filter };
  delete f.confirmed;
  return f;
}

/** sure says whether only confirmed findings are listed because nobody chose otherwise. */
export function sure(filter: Filter): boolean {
  return filter.confirmed === undefined && filter.potential === undefined && filter.confidence === undefined && filter.status === undefined;
}

/** keyOf is the same for the same list. */
export const keyOf = (filter: Filter, sort: Sort): string => JSON.stringify([names.map((n) => asked(filter)[n] ?? null), sortOf(sort)]);

function valid(name: FilterName, value: unknown): unknown {
  if (value === undefined || value === null || value === "") return undefined;
  const field = fieldOf(name);
  if (!field) return short(value, 500);
  switch (field.kind) {
    case "yes":
      return truth(value);
    case "one":
      return field.options.find((o) => o === value);
    case "some": {
      const some = list(value).filter((v) => field.options.includes(v));
      return some.length > 0 ? field.options.filter((o) => some.includes(o)) : undefined;
    }
    case "words": {
      const words = [...new Set(list(value))].filter((v) => (field.digits ? /^\d{1,5}$/.test(v) : v.length <= 63)).slice(0, field.most);
      return words.length > 0 ? words : undefined;
    }
    case "number": {
      const n = Number(value);
      const to = name === "min_epss" ? 1 : field.to;
      if (!Number.isFinite(n) || n < field.from || n > to || typeof value === "boolean") return undefined;
      return name === "scan" || name === "confidence" ? Math.floor(n) : n;
    }
    case "day":
      return typeof value === "string" && /^\d{4}-\d{2}-\d{2}(T[\d:.]{5,15}(Z|[+-]\d\d:\d\d))?$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;
    default:
      return short(value, field.most);
  }
}

function truth(value: unknown): boolean | undefined {
  if (value === true || value === "true" || value === 1) return true;
  return value === false || value === "false" || value === 0 ? false : undefined;
}

function list(value: unknown): string[] {
  const items = Array.isArray(value) ? value.map(String) : String(value).split(",");
  return items.map((v) => v.trim()).filter((v) => v !== "");
}

function short(value: unknown, most: number): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  return [...String(value)].slice(0, most).join("") || undefined;
}
