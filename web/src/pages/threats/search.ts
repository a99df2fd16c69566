// What the address of the page says, repaired.
import { oneOf, textOf, truthOf, wholeOf, type Raw } from "../../ui/chosen";

export const tabs = ["exploited", "attack", "indicators", "feeds"] as const;
export type Tab = (typeof tabs)[number];

export const orders = ["listed", "findings", "due"] as const;
export const indicatorKinds = ["", "ip", "domain", "url", "hash"] as const;

/** most is how far the list of exploited CVEs can be paged through: the server counts no further. */
const most = 10_000;

export type Chosen = {
  tab: Tab;
  // exploited
  q: string;
  order: (typeof orders)[number];
  ransomware: boolean;
  mine: boolean;
  skip: number;
  // attack
  unfolded: string[];
  // indicators
  kind: (typeof indicatorKinds)[number];
  source: string;
  threat: string;
  active: boolean;
  after: string;
  look: string;
  // feeds
  feed: string;
  run: number;
  before: number;
};

export function repair(raw: Raw): Chosen {
  return {
    tab: oneOf(raw.tab, tabs),
    q: textOf(raw.q, 200),
    order: oneOf(raw.order, orders),
    ransomware: truthOf(raw.ransomware),
    mine: truthOf(raw.mine),
    skip: wholeOf(raw.skip, 0, most),
    unfolded: textOf(raw.unfolded, 2000).split(" ").filter((id) => techniqueID.test(id)),
    kind: oneOf(raw.kind, indicatorKinds),
    source: textOf(raw.source, 60),
    threat: textOf(raw.threat, 100),
    active: truthOf(raw.active),
    after: textOf(raw.after, 5000),
    look: textOf(raw.look, 1500),
    feed: /^[a-z0-9-]{1,40}$/.test(textOf(raw.feed)) ? textOf(raw.feed) : "",
    run: wholeOf(raw.run, 0, Number.MAX_SAFE_INTEGER),
    before: wholeOf(raw.before, 0, Number.MAX_SAFE_INTEGER),
  };
}

export const techniqueID = /^T\d{4}(\.\d{3})?$/;

/** techniqueOf is a technique's id as it stands in an address, or null. */
export function techniqueOf(id: string): string | null {
  const upper = id.toUpperCase();
  return techniqueID.test(upper) ? upper : null;
}
