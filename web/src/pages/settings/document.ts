// What the server's own document of its API says of roles and scopes: the truth of this very version.

export type Operation = { method: string; path: string; tag: string; summary: string; role: "viewer" | "analyst" | "admin" };

type Described = { tags?: string[]; summary?: string; "x-patchscout-role"?: string };

const methods = ["get", "post", "put", "patch", "delete"];
const roles = ["viewer", "analyst", "admin"];

/** operationsOf reads the document; what everybody may do, or workers only, is left out. */
export function operationsOf(doc: unknown): Operation[] {
  const paths = (doc as { paths?: Record<string, Record<string, Described>> }).paths ?? {};
  const out: Operation[] = [];
  for (const [path, item] of Object.entries(paths))
    for (const method of methods) {
      const op = item[method];
      const role = op?.["x-patchscout-role"];
      if (op && role && roles.includes(role)) out.push({ method, path, tag: op.tags?.[0] ?? "other", summary: op.summary ?? path, role: role as Operation["role"] });
    }
  return out;
}

/** scopesOf are those to which a token can be limited. */
export const scopesOf = (all: readonly Operation[]): string[] => [...new Set(all.flatMap((o) => [`${o.tag}:read`, `${o.tag}:write`]))].sort();

export type Area = { tag: string; viewer: string[]; analyst: string[]; admin: string[] };

/** areasOf says of each area what the role may do that the one below it may not. */
export function areasOf(all: readonly Operation[]): Area[] {
  const areas = new Map<string, Area>();
  for (const o of all) {
    const area = areas.get(o.tag) ?? { tag: o.tag, viewer: [], analyst: [], admin: [] };
    if (!area[o.role].includes(o.summary)) area[o.role].push(o.summary);
    areas.set(o.tag, area);
  }
  return [...areas.values()].sort((a, b) => a.tag.localeCompare(b.tag));
}
