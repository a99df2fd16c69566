// What is heard of a scan while it runs, step by step (docs/live.md). Nothing here touches a socket, a clock or the
// server: each step takes what happened and says what is known now and what is to be done. watch.ts does it.
import type { Schema } from "../../api/client";

export type Message = Schema<"LiveMessage">;
export type Status = Schema<"ScanStatus">;

/** Line is how we hear: the socket is being opened, speaks, is tried again later, cannot be had; or there is no more to hear. */
export type Line = "connecting" | "live" | "waiting" | "polling" | "over" | "out" | "gone";

export type Sentence = { seq: number; at: string; text: string };

export type Heard = {
  line: Line;
  since: number; // the number of the last event
  tries: number; // connections in a row that told nothing
  asked: number; // answers since the socket was given up
  scan: Status | null;
  progress: Schema<"LiveProgress"> | null;
  hosts: Schema<"LiveHost">[]; // newest first, as are all lists
  services: Schema<"LiveService">[];
  findings: Schema<"LiveFinding">[]; // each once, by its id
  log: Sentence[];
  ended: boolean;
};

export type Happening =
  | { what: "opened" }
  | { what: "messages"; messages: Message[] }
  | { what: "closed"; code: number }
  | { what: "answered"; scan: Status }
  | { what: "refused"; status: number }
  | { what: "woke" };

export type Order = { do: "connect"; since: number } | { do: "ask" } | { do: "wait"; ms: number };

export type Step = { heard: Heard; orders: Order[] };

/** silence is before anything was heard. */
export const silence: Heard = { line: "connecting", since: 0, tries: 0, asked: 0, scan: null, progress: null, hosts: [], services: [], findings: [], log: [], ended: false };

/** first is how it begins. */
export const first = (): Step => ({ heard: silence, orders: [{ do: "connect", since: 0 }] });

const patience = 3; // connections without a word, then the scan is asked for instead
const pollEvery = 3_000; // ms
const socketAgain = 10; // answers, then the socket is tried once more

/** pause is how long to wait before the connection number `tries` in a row: 0.5 s, then doubling up to 30 s. */
export function pause(tries: number): number {
  return Math.min(500 * 2 ** Math.max(0, tries - 1), 30_000);
}

/** over says whether a scan has come to its end. */
export const over = (scan: Pick<Status, "status">): boolean => scan.status === "completed" || scan.status === "failed";

/** step is what follows from something that happened. */
export function step(heard: Heard, e: Happening): Step {
  if (heard.line === "over" || heard.line === "out" || heard.line === "gone") return { heard, orders: [] };
  switch (e.what) {
    case "opened":
      return { heard: { ...heard, line: "live" }, orders: [] };
    case "messages":
      return { heard: { ...hear(heard, e.messages), line: "live", tries: 0, asked: 0 }, orders: [] };
    case "closed":
      return closed(heard, e.code);
    case "answered":
      return answered(heard, e.scan);
    case "refused":
      return refused(heard, e.status);
    case "woke":
      return heard.line === "polling" ? { heard, orders: [{ do: "ask" }] } : connect(heard);
  }
}

const connect = (heard: Heard): Step => ({ heard: { ...heard, line: "connecting" }, orders: [{ do: "connect", since: heard.since }] });

function closed(heard: Heard, code: number): Step {
  if (heard.ended || code === 1000) return { heard: { ...heard, line: "over" }, orders: [] };
  if (code === 4001) return { heard: { ...heard, line: "out" }, orders: [] };
  if (code === 4004) return { heard: { ...heard, line: "gone" }, orders: [] };
  const tries = heard.tries + 1;
  if (tries >= patience) return { heard: { ...heard, tries, line: "polling", asked: 0 }, orders: [{ do: "ask" }] };
  return { heard: { ...heard, tries, line: "waiting" }, orders: [{ do: "wait", ms: pause(tries) }] };
}

function answered(heard: Heard, scan: Status): Step {
  const asked = heard.asked + 1;
  const known = { ...heard, scan, asked, progress: null };
  if (over(scan)) return { heard: { ...known, ended: true, line: "over" }, orders: [] };
  if (asked % socketAgain === 0) return connect(known);
  return { heard: { ...known, line: "polling" }, orders: [{ do: "wait", ms: pollEvery }] };
}

function refused(heard: Heard, status: number): Step {
  if (status === 401) return { heard: { ...heard, line: "out" }, orders: [] };
  if (status === 404) return { heard: { ...heard, line: "gone" }, orders: [] };
  const tries = heard.tries + 1;
  return { heard: { ...heard, tries, line: "polling" }, orders: [{ do: "wait", ms: Math.max(pollEvery, pause(tries)) }] };
}

/** hear takes a batch of messages. What was heard already is passed over; lists are copied once a batch. */
function hear(heard: Heard, messages: Message[]): Heard {
  const h = { ...heard };
  const hosts: Heard["hosts"] = [];
  const services: Heard["services"] = [];
  const findings: Heard["findings"] = [];
  const log: Sentence[] = [];
  for (const m of messages) {
    if (m.type !== "state" && m.seq <= h.since) continue;
    h.since = Math.max(h.since, m.seq);
    if (m.type === "state") h.scan = m.data as Status;
    else if (m.type === "progress") h.progress = m.data as Heard["progress"];
    else if (m.type === "host") hosts.unshift(m.data as Heard["hosts"][number]);
    else if (m.type === "service") services.unshift(m.data as Heard["services"][number]);
    else if (m.type === "finding") findings.push(m.data as Heard["findings"][number]);
    else if (m.type === "log") log.unshift({ seq: m.seq, at: m.at, text: (m.data as Schema<"LiveSentence">).text });
    else if (m.type === "end") {
      h.ended = true;
      if (m.data) h.scan = m.data as Status;
    }
  }
  if (hosts.length) h.hosts = [...hosts, ...h.hosts];
  if (services.length) h.services = [...services, ...h.services];
  if (findings.length) h.findings = join(h.findings, findings);
  if (log.length) h.log = [...log, ...h.log];
  return h;
}

/** join adds findings. One that is told again stays where it is, with what is said now, and is new if it ever was. */
function join(known: Heard["findings"], told: Heard["findings"]): Heard["findings"] {
  const at = new Map(known.map((f, i) => [f.id, i]));
  const list = [...known];
  const fresh = new Map<number, Heard["findings"][number]>();
  for (const f of told) {
    const i = at.get(f.id);
    if (i !== undefined) list[i] = { ...f, new: f.new || list[i]!.new };
    else fresh.set(f.id, { ...f, new: f.new || (fresh.get(f.id)?.new ?? false) });
  }
  return fresh.size ? [...[...fresh.values()].reverse(), ...list] : list;
}
