// Numbers with their units.
import { Missing } from "./inert";

/** count is a number of things: count(1, "finding") is "1 finding"; the plural is the word with s, or what is given. */
export function count(n: number, one: string, many = one + "s"): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}

/** percent is a share of 1 as people read it: 0.034 is "3.4 %". */
export function percent(share: number): string {
  const p = share * 100;
  if (p > 0 && p < 0.1) return "< 0.1 %";
  return `${p < 10 ? Number(p.toFixed(1)) : Math.round(p)} %`;
}

/** bytes is a size: "4.2 MB". */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  for (const unit of ["kB", "MB", "GB"]) {
    n /= 1000;
    if (n < 999.5) return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
  }
  return `${(n / 1000).toFixed(1)} TB`;
}

/** CVSS is a base score of 0 to 10. */
export function CVSS({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <Missing why="nobody has scored it" />;
  return <span className="num" title={`CVSS ${value.toFixed(1)} of 10`}>{value.toFixed(1)}</span>;
}

/** Removed is by how much less of the weight of jewels falls when something is fixed; a jewel weighs at most 1. */
export function Removed({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <Missing why="attack paths were not worked out" />;
  return <span className="num nowrap" title={`expected drop in the weight of jewels that fall: ${value.toPrecision(3)}`}>{value === 0 ? "0" : value < 0.001 ? "< 0.001" : value < 0.1 ? value.toFixed(3) : value.toFixed(2)}</span>;
}

/** Chance is a probability of 0 to 1; estimated says that it is our own. */
export function Chance({ value, source }: { value: number | null | undefined; source?: string | null }) {
  if (value === null || value === undefined) return <Missing why="no forecast" />;
  const by = source === "estimated" ? "PatchScout's own estimate" : "EPSS forecast";
  return (
    <span className="num nowrap" title={`chance of attacks within 30 days: ${percent(value)} (${by})`}>
      {percent(value)}
      {source === "estimated" && <span className="dim" aria-label="estimated"> est.</span>}
    </span>
  );
}
