// What is chosen on the page of attack paths, as it stands in its address: the scenario, the path that is open, the fixes
// that are ticked. What does not fit is left out, never an error.
import { oneOf, textOf, truthOf, wholeOf, type Raw } from "../../ui/chosen";

export const tabs = ["paths", "map", "setup"] as const;
export type Tab = (typeof tabs)[number];

export const views = ["list", "jewels", "fixes"] as const;

export type Chosen = {
  tab: Tab;
  view: (typeof views)[number];
  // the scenario
  from: string[];
  to: string[];
  assume: "site" | "flat";
  reuse: boolean;
  secrets: boolean;
  scan: number;
  limit: number;
  // what is looked at
  path: string;
  step: number;
  // the simulator
  fix: number[];
  patch: string[];
};

/** most is how many fixes can be tried at once. */
export const most = 500;

export const limits = [100, 300, 1000] as const;

/** listOf reads a list of the address: joined by commas, or as it is when something in it has a comma. */
export function listOf(value: unknown): string[] {
  const all = Array.isArray(value) ? value.map((v) => textOf(v, 300)) : textOf(value, 8000).split(",");
  return [...new Set(all.map((v) => v.trim()).filter(Boolean))];
}

/** joined is a list as it stands in the address. */
export const joined = (list: readonly (string | number)[]): string | string[] | undefined =>
  list.length === 0 ? undefined : list.some((v) => String(v).includes(",")) ? list.map(String) : list.join(",");

const entry = /^(internet|site:[A-Za-z0-9._-]{1,63}|host:[^\s]{1,255}|user:(site:)?[^\s]{1,255})$/;

const idsOf = (value: unknown) => listOf(value).map(Number).filter((n) => Number.isSafeInteger(n) && n > 0);

export function repair(raw: Raw): Chosen {
  const limit = Number(raw.limit);
  return {
    tab: oneOf(raw.tab, tabs),
    view: oneOf(raw.view, views),
    from: listOf(raw.from).filter((f) => entry.test(f)).slice(0, 20),
    to: listOf(raw.to).filter((t) => t.length <= 255).slice(0, 50),
    assume: oneOf(raw.assume, ["site", "flat"]),
    reuse: truthOf(raw.reuse),
    secrets: truthOf(raw.secrets),
    scan: wholeOf(raw.scan, 0, Number.MAX_SAFE_INTEGER),
    limit: limits.find((l) => l === limit) ?? limits[0],
    path: /^[A-Za-z0-9._:-]{1,100}$/.test(textOf(raw.path)) ? textOf(raw.path) : "",
    step: wholeOf(raw.step, 0, 1000),
    fix: idsOf(raw.fix).slice(0, most),
    patch: listOf(raw.patch).filter((w) => w.length <= 300).slice(0, most),
  };
}

/** Ask is the question behind the list: everything but what is looked at. */
export type Ask = Pick<Chosen, "from" | "to" | "assume" | "reuse" | "secrets" | "scan" | "limit">;

export const askOf = ({ from, to, assume, reuse, secrets, scan, limit }: Chosen): Ask => ({ from, to, assume, reuse, secrets, scan, limit });

/** queryOf is a scenario as the server takes it; what is as usual is left out. */
export function queryOf(ask: Ask) {
  return {
    from: ask.from.length > 0 ? ask.from : undefined,
    to: ask.to.length > 0 ? ask.to : undefined,
    assume: ask.assume,
    reuse: ask.reuse || undefined,
    secrets: ask.secrets || undefined,
    scan: ask.scan || undefined,
  };
}

/** usual says whether nothing of the scenario was changed. */
export const usual = (ask: Ask) => ask.from.length === 0 && ask.to.length === 0 && ask.assume === "site" && !ask.reuse && !ask.secrets && ask.scan === 0;
