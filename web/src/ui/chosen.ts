// What is chosen on a page stands in its address, where anybody can write anything: every value is checked before it is used.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Raw = Record<string, unknown>;

/** textOf is a text of the address, also where it looks like a number; "" without one. */
export function textOf(value: unknown, most = 200): string {
  return typeof value === "string" ? value.slice(0, most) : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** oneOf is one of the words, or the first of them. */
export function oneOf<T extends string>(value: unknown, words: readonly [T, ...T[]]): T {
  return words.includes(value as T) ? (value as T) : words[0];
}

/** truthOf is true only where the address says so. */
export const truthOf = (value: unknown): boolean => value === true || value === "true";

/** wholeOf is a whole number between two bounds, or the lower one. */
export function wholeOf(value: unknown, least: number, most: number): number {
  const n = Number(value);
  return Number.isInteger(n) && n >= least && n <= most ? n : least;
}

/** useChosen is what the address says, repaired, and how to change a part of it; what is empty is left out of the address. */
export function useChosen<T extends object>(repair: (raw: Raw) => T): [T, (change: { [K in keyof T]?: T[K] | undefined }, how?: { replace?: boolean }) => void] {
  const raw = useSearch({ strict: false }) as Raw;
  const navigate = useNavigate();
  const change = useCallback(
    (part: { [K in keyof T]?: T[K] | undefined }, how?: { replace?: boolean }) => {
      void navigate({ to: ".", search: ((old: Raw) => filled({ ...old, ...part })) as never, replace: how?.replace, resetScroll: false });
    },
    [navigate],
  );
  return [repair(raw), change];
}

/** filled leaves out what says nothing. */
export function filled(search: Raw): Raw {
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined && v !== "" && v !== false && !(Array.isArray(v) && v.length === 0)));
}
