// The colours of the map: those of the page, greys for all, one tone for what falls, the more the likelier, the accent for ways.
import type { PathNode } from "./kinds";

export type Colours = { ink: string; dim: string; line: string; strong: string; ground: string; raised: string; accent: string; tone: string; still: string };

const variables: Record<keyof Colours, string> = {
  ink: "--ink", dim: "--mantine-color-dimmed", line: "--line", strong: "--line-strong", ground: "--panel", raised: "--raised", accent: "--mantine-color-anchor", tone: "--fill-high", still: "--fill-info",
};

export function coloursOf(): Colours {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, hex(style.getPropertyValue(variable).trim())])) as Colours;
}

const hex = (c: string) => (/^#[0-9a-f]{3}$/i.test(c) ? "#" + [...c.slice(1)].map((d) => d + d).join("") : /^#[0-9a-f]{6}/i.test(c) ? c.slice(0, 7) : "#888888");

/** mix is a colour between two: 0 is the first, 1 the second. */
export function mix(a: string, b: string, share: number): string {
  const part = (at: number) => Math.round(parseInt(a.slice(at, at + 2), 16) * (1 - share) + parseInt(b.slice(at, at + 2), 16) * share);
  return "#" + [1, 3, 5].map((at) => part(at).toString(16).padStart(2, "0")).join("");
}

/** fillOf is the inside of a node. */
export function fillOf(n: PathNode, c: Colours): string {
  if (n.kind === "entry") return c.accent;
  if (n.kind === "site") return c.raised;
  return n.reached ? mix(c.ground, c.tone, 0.3 + 0.7 * n.chance) : mix(c.ground, c.still, 0.45);
}

/** edgeOf is its border: jewels have a strong one, what is on a best way that of the way. */
export function edgeOf(n: PathNode, c: Colours): string {
  if (n.jewel) return c.ink;
  if (n.on_path || n.kind === "entry") return c.accent;
  return n.kind === "site" ? c.dim : n.reached ? mix(c.tone, c.ink, 0.25) : mix(c.still, c.ground, 0.15);
}
