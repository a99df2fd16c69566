// Files on their way, step by step. Pure: uploads.ts sends them.
import { bytes } from "../../ui/numbers";

/** Stage: waiting to be sent, being sent, sent and being read, read (or not: its page knows), refused, left out by its owner. */
export type Stage = "waiting" | "sending" | "reading" | "done" | "refused" | "stopped";

export type Item = {
  key: number;
  name: string;
  size: number;
  stage: Stage;
  sent: number; // bytes
  id: number | null; // of the import
  tool: string | null;
  says: string | null; // why not
};

export type Event =
  | { what: "added"; items: Item[] }
  | { what: "began"; key: number }
  | { what: "sent"; key: number; bytes: number }
  | { what: "taken"; key: number; id: number; tool: string }
  | { what: "read"; key: number }
  | { what: "refused"; key: number; says: string }
  | { what: "stopped"; key: number }
  | { what: "again"; key: number }
  | { what: "cleared" };

const together = 2; // uploads at a time: more only share the same line
const watched = 4; // imports whose progress is heard at a time

export function itemOf(key: number, file: { name: string; size: number }, most: number | undefined): Item {
  const item: Item = { key, name: file.name, size: file.size, stage: "waiting", sent: 0, id: null, tool: null, says: null };
  if (most !== undefined && file.size > most) return { ...item, stage: "refused", says: `It has ${bytes(file.size)}; the server takes ${bytes(most)} at most. Pack it with gzip, or use patchscout import on the server.` };
  return item;
}

export function after(queue: Item[], e: Event): Item[] {
  const change = (key: number, part: Partial<Item>) => queue.map((i) => (i.key === key ? { ...i, ...part } : i));
  switch (e.what) {
    case "added": return [...queue, ...e.items];
    case "began": return change(e.key, { stage: "sending", sent: 0, says: null });
    case "sent": return change(e.key, { sent: e.bytes });
    case "taken": return change(e.key, { stage: "reading", id: e.id, tool: e.tool });
    case "read": return change(e.key, { stage: "done" });
    case "refused": return change(e.key, { stage: "refused", says: e.says });
    case "stopped": return change(e.key, { stage: "stopped", says: null });
    case "again": return change(e.key, { stage: "waiting", sent: 0, says: null });
    case "cleared": return queue.filter((i) => i.stage === "waiting" || i.stage === "sending" || i.stage === "reading");
  }
}

/** next are the files to send now. */
export function next(queue: Item[]): Item[] {
  const free = together - queue.filter((i) => i.stage === "sending").length;
  return queue.filter((i) => i.stage === "waiting").slice(0, Math.max(0, free));
}

/** heard are the imports to listen to now: the first that are being read. */
export const heard = (queue: Item[]): Set<number> => new Set(queue.filter((i) => i.stage === "reading").slice(0, watched).map((i) => i.key));

export const busy = (queue: Item[]): boolean => queue.some((i) => i.stage === "waiting" || i.stage === "sending");

/** tally is how many files are where, in words. */
export function tally(queue: Item[]): string {
  const n = (stages: Stage[]) => queue.filter((i) => stages.includes(i.stage)).length;
  const parts: [number, string][] = [[n(["waiting", "sending"]), "to send"], [n(["reading"]), "being read"], [n(["done"]), "read"], [n(["refused"]), "not imported"], [n(["stopped"]), "stopped"]];
  return parts.filter(([k]) => k > 0).map(([k, word]) => `${k.toLocaleString()} ${word}`).join(", ");
}

/** hidden are files that no tool wrote: leavings of file managers and version control. */
export const hidden = (path: string): boolean => path.split("/").some((part) => part.startsWith(".") && part.length > 1) || /(^|\/)(Thumbs\.db|desktop\.ini)$/i.test(path);
