// EPSS over time: one line, so small that it needs no library.
import { useId } from "react";

import type { Schema } from "../../api/client";
import { percent } from "../../ui/numbers";
import { Day } from "../../ui/when";

const wide = 300, high = 92, left = 34, foot = 4;

/** pathOf draws days as steps: a forecast holds until the next one. x and y are in the picture's own units. */
export function pathOf(days: { at: number; epss: number }[], top: number): string {
  const first = days[0]!.at, span = Math.max(1, days[days.length - 1]!.at - first);
  const x = (at: number) => left + ((at - first) / span) * (wide - left - 4);
  const y = (v: number) => high - foot - (v / top) * (high - foot - 8);
  return days.map((d, i) => (i === 0 ? `M${x(d.at).toFixed(1)} ${y(d.epss).toFixed(1)}` : `H${x(d.at).toFixed(1)}V${y(d.epss).toFixed(1)}`)).join("");
}

/** topOf is the upper end of the scale: a round share above every value. */
export const topOf = (values: number[]) => [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((t) => t >= Math.max(...values)) ?? 1;

/** History is the line, with the numbers as a table for those who cannot see it. */
export function History({ days }: { days: Schema<"EPSSDay">[] }) {
  const id = useId();
  const known = days.filter((d) => d.date !== null).map((d) => ({ at: Date.parse(d.date!), date: d.date!, epss: d.epss })).sort((a, b) => a.at - b.at);
  if (known.length < 2) return null;
  const top = topOf(known.map((d) => d.epss));
  const first = known[0]!, last = known[known.length - 1]!;
  return (
    <figure className="cve-history">
      <svg viewBox={`0 0 ${wide} ${high}`} role="img" aria-labelledby={id}>
        <title id={id}>{`EPSS from ${percent(first.epss)} to ${percent(last.epss)}, ${known.length} changes`}</title>
        {[0, 0.5, 1].map((part) => {
          const y = high - foot - part * (high - foot - 8);
          return <g key={part}><line x1={left} x2={wide - 4} y1={y} y2={y} stroke="var(--line)" /><text x={left - 6} y={y + 3} textAnchor="end">{percent(part * top)}</text></g>;
        })}
        <path d={pathOf(known, top)} fill="none" stroke="var(--mantine-color-anchor)" strokeWidth="1.6" strokeLinejoin="round" />
      </svg>
      <figcaption className="dim"><Day at={first.date} /><Day at={last.date} /></figcaption>
      <details className="cve-fold"><summary>As numbers</summary><ul className="cve-list">{known.slice(-60).reverse().map((d) => <li key={d.date}><Day at={d.date} /> <span className="num">{percent(d.epss)}</span></li>)}</ul></details>
    </figure>
  );
}
