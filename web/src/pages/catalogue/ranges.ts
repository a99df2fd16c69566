// Which versions of which products are affected, out of CPE names and bounds, as lines of a table.
import type { Schema } from "../../api/client";

export type Range = { kind: string; vendor: string; product: string; more: string; from: string; to: string; fixed: string; cpe: string };

const kinds: Record<string, string> = { a: "software", o: "operating system", h: "hardware" };

/** partsOf splits a CPE 2.3 name at its colons; a colon behind a backslash is part of a value. */
export function partsOf(cpe: string): string[] {
  return (cpe.match(/(?:\\.|[^:\\])*(?::|$)/g) ?? []).map((p) => p.replace(/:$/, "").replace(/\\(.)/g, "$1")).slice(0, 13);
}

const said = (value: string | undefined) => (value === undefined || value === "*" || value === "" ? "" : value === "-" ? "none" : value);

/** rangeOf reads one rule: from which version, up to which, and the first that is fixed. */
export function rangeOf(rule: Schema<"AffectedRule">): Range {
  const [, , part, vendor, product, version, update, edition, language, flavour, target] = partsOf(rule.cpe);
  const line: Range = { kind: kinds[part ?? ""] ?? "", vendor: said(vendor), product: said(product), more: "", from: "", to: "", fixed: "", cpe: rule.cpe };
  line.more = [said(edition), said(language), said(flavour), target && said(target) ? `on ${said(target)}` : ""].filter((w) => w && w !== "none").join(", ");
  for (const bound of (rule.versions ?? "").split(", ")) {
    const [, sign, value] = /^(>=|>|<=|<)\s+(.+)$/.exec(bound) ?? [];
    if (!sign || !value) continue;
    if (sign === ">=") line.from = value;
    else if (sign === ">") line.from = `after ${value}`;
    else if (sign === "<=") line.to = value;
    else line.fixed = value;
  }
  const exact = [said(version), said(update)].filter((w) => w && w !== "none").join(" ");
  if (exact && !rule.versions) line.from = line.to = exact;
  return line;
}

/** everyVersion: the rule names no version at all. */
export const everyVersion = (r: Range) => r.from === "" && r.to === "" && r.fixed === "";

/** nameOf is a CPE word as people write it: "http_server" is "http server". */
export const nameOf = (word: string) => word.replaceAll("_", " ");

export type Product = { vendor: string; product: string; kind: string; ranges: Range[] };

/** productsOf groups rules by product, in their order; the same rule twice is one. */
export function productsOf(rules: Schema<"AffectedRule">[]): Product[] {
  const found = new Map<string, Product>();
  for (const rule of rules) {
    const range = rangeOf(rule);
    const key = [range.kind, range.vendor, range.product].join("\n");
    const product = found.get(key) ?? { vendor: range.vendor, product: range.product, kind: range.kind, ranges: [] };
    const same = (r: Range) => r.from === range.from && r.to === range.to && r.fixed === range.fixed && r.more === range.more;
    if (!product.ranges.some(same)) product.ranges.push(range);
    found.set(key, product);
  }
  return [...found.values()];
}
