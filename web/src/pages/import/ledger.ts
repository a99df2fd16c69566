// The ledger of an import, as an equation: nothing that a report says is lost without a word.
import type { Schema } from "../../api/client";

export type Counted = { records: number; expanded: number; new: number; merged: number; informational: number; dropped: number };

export function countedOf(ledger: Schema<"Ledger">): Counted {
  return { records: ledger.records, expanded: ledger.expanded, ...ledger.findings, dropped: ledger.dropped.reduce((n, d) => n + d.count, 0) };
}

/** sums are both sides of the equation. */
export function sums(c: Counted): { read: number; kept: number; even: boolean } {
  const read = c.records + c.expanded;
  const kept = c.new + c.merged + c.informational + c.dropped;
  return { read, kept, even: read === kept };
}

/** placeOf takes the file and the place in it out of a refusal of the server: "r.xml: nmap report, line 3: …". */
export function placeOf(reason: string): { file: string | null; line: number | null; says: string } {
  const text = reason.replace(/^file: /, "").replace(/; known are [\w, -]+$/, ""); // the choice of tools names them
  const line = /\b(?:line|row) (\d+)\b/.exec(text);
  const file = /^([^:\n]{1,200}\.[A-Za-z0-9]{1,8}): /.exec(text);
  return { file: file?.[1] ?? null, line: line ? Number(line[1]) : null, says: file ? text.slice(file[0].length) : text };
}
