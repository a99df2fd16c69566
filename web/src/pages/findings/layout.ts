// Which columns stand in a table of a width, and how wide.

/** Width is a column with the least room that it needs; the one that grows gets what is left. */
export type Width = { id: string; px: number; grows?: boolean; keep: number };

/** widths are in the order of the table. The columns with the smallest keep give way first. */
export const widths: Width[] = [
  { id: "select", px: 36, keep: 100 },
  { id: "decision", px: 88, keep: 90 },
  { id: "severity", px: 92, keep: 70 },
  { id: "title", px: 290, grows: true, keep: 100 },
  { id: "host", px: 126, keep: 80 },
  { id: "service", px: 124, keep: 50 },
  { id: "likelihood", px: 92, keep: 40 },
  { id: "cvss", px: 58, keep: 30 },
  { id: "due", px: 114, keep: 60 },
  { id: "triage", px: 118, keep: 35 },
  { id: "seen", px: 104, keep: 10 },
];

/** ranked are the columns of a list that attack paths rank: what a fix takes off the risk stands there only then. */
export const ranked: Width[] = widths.flatMap((w) => (w.id === "due" ? [{ id: "risk", px: 110, keep: 65 }, w] : [w]));

/** twoLines is the width below which a finding is told in two lines instead of columns. */
export const twoLines = 560;

/** fit is which columns there is room for, at letters of 16 px; hidden ones are those that nobody wants to see. */
export function fit(width: number, hidden: readonly string[] = [], all = widths): Width[] {
  const wanted = all.filter((w) => !hidden.includes(w.id) || w.keep >= 100);
  const order = [...wanted].sort((a, b) => a.keep - b.keep);
  let sum = wanted.reduce((n, w) => n + w.px, 0);
  const out = new Set<string>();
  for (const w of order) {
    if (sum <= width || w.keep >= 100) break;
    out.add(w.id);
    sum -= w.px;
  }
  return wanted.filter((w) => !out.has(w.id));
}

/** track is the columns as CSS lays out a grid. */
export const track = (columns: readonly Width[]): string => columns.map((w) => (w.grows ? "minmax(0, 1fr)" : `${w.px / 16}rem`)).join(" ");
