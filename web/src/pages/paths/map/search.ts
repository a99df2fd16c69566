// What is chosen on the map, beside the scenario of all tabs, as it stands in the address.
import { useMemo } from "react";

import { oneOf, textOf, useChosen, type Raw } from "../../../ui/chosen";
import { askOf, joined, repair, type Chosen } from "../search";
import { shows, type Show } from "./sight";

export const directions = ["", "forward", "backward"] as const;
export type Direction = (typeof directions)[number];

export type Seen = { show: Show; node: string; way: Direction; find: string };

export function repairSeen(raw: Raw): Seen {
  const node = textOf(raw.node, 300);
  return { show: oneOf(raw.show, shows), node: /^(entry|site|host|group):[^\s]{1,280}$/.test(node) ? node : "", way: oneOf(raw.way, directions), find: textOf(raw.find, 255) };
}

const usual = repair({});

/** useSeen is what the address says of the map and of the scenario, and how to change either. */
export function useSeen() {
  const [raw, set] = useChosen((r: Raw) => ({ ...repair(r), ...repairSeen(r) }));
  const text = JSON.stringify(raw);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the text says all of it
  const chosen = useMemo(() => raw, [text]);
  const ask = useMemo(() => askOf(chosen), [chosen]);
  const look = (change: Partial<Seen>, replace?: boolean) => set({ ...change, ...(change.show === "all" ? { show: undefined } : {}) } as never, { replace });
  const choose = ({ from, to, ...rest }: Partial<Chosen>) => {
    const lists = Object.fromEntries(Object.entries({ from, to }).filter(([, list]) => list !== undefined).map(([name, list]) => [name, joined(list!)]));
    const words = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value === usual[name as keyof Chosen] ? undefined : value]));
    set({ ...words, ...lists, path: undefined, step: undefined } as never);
  };
  return { chosen, ask, look, choose };
}
