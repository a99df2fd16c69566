// What the addresses of the scans' pages say.
import { oneOf, textOf, truthOf, wholeOf, type Raw } from "../../ui/chosen";

export const statuses = ["", "pending", "running", "completed", "failed"] as const;
export const kinds = ["", "import", "all"] as const; // "" are scans

/** ListSearch: start opens the form for a new scan, with these targets, profile and site in it. */
export type ListSearch = { status: (typeof statuses)[number]; kind: (typeof kinds)[number]; site: string; start: boolean; targets: string; profile: string; pick: number };

export function listSearch(raw: Raw): ListSearch {
  return {
    status: oneOf(raw.status, statuses),
    kind: oneOf(raw.kind, kinds),
    site: textOf(raw.site, 63),
    start: truthOf(raw.start),
    targets: textOf(raw.targets, 4000),
    profile: textOf(raw.profile, 20),
    pick: wholeOf(raw.pick, 0, Number.MAX_SAFE_INTEGER),
  };
}

export const tabs = ["findings", "hosts", "problems", "tasks", "log"] as const;
export type Tab = (typeof tabs)[number];

export const scanSearch = (raw: Raw): { tab: Tab } => ({ tab: oneOf(raw.tab, tabs) });

export const whats = ["new", "fixed", "unchanged", "not_looked"] as const;
export type What = (typeof whats)[number];

/** compareSearch: with is the other scan, 0 the one before it of the same site and targets. */
export const compareSearch = (raw: Raw): { with: number; what: What } => ({ with: wholeOf(raw.with, 0, Number.MAX_SAFE_INTEGER), what: oneOf(raw.what, whats) });

/** numberOf is the number in an address like /scans/42, or null: no scan has another name. */
export function numberOf(text: string | undefined): number | null {
  return /^[1-9]\d{0,14}$/.test(text ?? "") ? Number(text) : null;
}
