// What is chosen on the page of assets, as it stands in the address.
import { oneOf, textOf, type Raw } from "../../ui/chosen";

export const tabs = ["hosts", "services", "software", "sites"] as const;
export const criticalityWords = ["", "critical", "high", "medium", "low", "minimal"] as const;
export const sorts = ["", "urgency", "address", "last_seen"] as const;

export type Look = {
  tab: (typeof tabs)[number];
  q: string;
  site: string;
  owner: string;
  tag: string;
  criticality: (typeof criticalityWords)[number];
  sort: (typeof sorts)[number];
  port: string;
  product: string;
};

/** repair reads an address; what makes no sense is left out. */
export function repair(raw: Raw): Look {
  const site = textOf(raw.site, 63).trim();
  const port = textOf(raw.port, 5);
  return {
    tab: oneOf(raw.tab, tabs),
    q: textOf(raw.q, 255),
    site: /^[A-Za-z0-9._-]*$/.test(site) ? site : "",
    owner: textOf(raw.owner, 255).trim(),
    tag: textOf(raw.tag, 63).trim(),
    criticality: oneOf(raw.criticality, criticalityWords),
    sort: oneOf(raw.sort, sorts),
    port: /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535 ? port : "",
    product: textOf(raw.product, 255).trim(),
  };
}

const text = (s: string) => s.trim() || undefined;

/** hostQuery is the question for hosts. */
export const hostQuery = (look: Look) => ({ search: text(look.q), site: text(look.site), owner: text(look.owner), tag: text(look.tag), criticality: look.criticality || undefined });

/** anySet says whether hosts are filtered at all. */
export const anySet = (look: Look) => Object.values(hostQuery(look)).some((v) => v !== undefined);

/** cleared is the address without any filter. */
export const cleared = { q: undefined, site: undefined, owner: undefined, tag: undefined, criticality: undefined, port: undefined, product: undefined };
