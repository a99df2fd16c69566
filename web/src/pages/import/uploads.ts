// Sends files to the server, a few at a time, and keeps on doing so while other pages are looked at. XMLHttpRequest tells
// how much has been sent; fetch does not.
import { useSyncExternalStore } from "react";

import { base, Problem, queries, type Schema } from "../../api/client";
import { meQuery } from "../../api/session";
import { messageOf } from "../../ui/states";
import { after, busy, itemOf, next, type Event, type Item } from "./queue";

/** Choice is what is said of the files that are added together. */
export type Choice = { tool: string; site: string; host: string; full: boolean };

let queue: Item[] = [];
let keys = 0;
const waiting = new Map<number, { file: File; choice: Choice }>();
const running = new Map<number, XMLHttpRequest>();
const listeners = new Set<() => void>();

function happen(e: Event) {
  queue = after(queue, e);
  for (const item of next(queue)) {
    queue = after(queue, { what: "began", key: item.key });
    send(item.key);
  }
  const known = new Set(queue.map((i) => i.key));
  for (const key of waiting.keys()) if (!known.has(key)) waiting.delete(key);
  window[busy(queue) ? "addEventListener" : "removeEventListener"]("beforeunload", stay);
  listeners.forEach((fn) => fn());
}

const stay = (e: BeforeUnloadEvent) => e.preventDefault(); // leaving now would cut the uploads short

/** add puts files into the queue. most is how large one may be, in bytes. */
export function add(files: File[], choice: Choice, most: number | undefined) {
  const items = files.map((file) => {
    const item = itemOf(++keys, file, most);
    if (item.stage === "waiting") waiting.set(item.key, { file, choice });
    return item;
  });
  happen({ what: "added", items });
}

/** again sends a file once more, now as `choice` says. */
export function again(key: number, choice?: Choice) {
  const entry = waiting.get(key);
  if (entry && choice) entry.choice = choice;
  happen({ what: "again", key });
}

export const clear = () => happen({ what: "cleared" });
export const wasRead = (key: number) => happen({ what: "read", key });

export function stop(key: number) {
  running.get(key)?.abort();
  happen({ what: "stopped", key });
}

/** canSend says whether a file is still at hand: after a reload of the page it would have to be chosen again. */
export const canSend = (key: number) => waiting.has(key);

function send(key: number) {
  const entry = waiting.get(key);
  if (!entry) return;
  const { file, choice } = entry;
  const at = new URL("api/v1/imports", base);
  at.searchParams.set("filename", (file.name || "upload").slice(0, 255));
  for (const name of ["tool", "site", "host"] as const) if (choice[name]) at.searchParams.set(name, choice[name]);
  if (choice.full) at.searchParams.set("full", "true");
  const request = new XMLHttpRequest();
  running.set(key, request);
  request.open("POST", at);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  const token = queries.getQueryData<Schema<"Me">>(meQuery.queryKey)?.csrf_token;
  if (token) request.setRequestHeader("X-CSRF-Token", token);
  request.upload.onprogress = (e) => happen({ what: "sent", key, bytes: e.loaded });
  request.onload = () => answered(key, request);
  request.onerror = () => happen({ what: "refused", key, says: "The server does not answer, or could not read the file to its end. Nothing of it was kept." });
  request.onloadend = () => running.delete(key);
  request.send(file);
}

function answered(key: number, request: XMLHttpRequest) {
  if (request.status >= 200 && request.status < 300) {
    const taken = (JSON.parse(request.responseText) as Schema<"QueuedImports">).imports[0]!;
    happen({ what: "taken", key, id: taken.id, tool: taken.tool });
    void queries.invalidateQueries({ queryKey: ["get", "/api/v1/imports"] });
    return;
  }
  const wait = Number(request.getResponseHeader("Retry-After"));
  if ((request.status === 429 || request.status === 503) && wait > 0 && wait <= 60) {
    setTimeout(() => { if (queue.some((i) => i.key === key && i.stage === "sending")) again(key); }, wait * 1000);
    return;
  }
  happen({ what: "refused", key, says: messageOf(problemOf(request)) });
}

function problemOf(request: XMLHttpRequest): Problem {
  let said: Partial<Schema<"ErrorModel">> = {};
  try {
    said = JSON.parse(request.responseText) as Partial<Schema<"ErrorModel">>;
  } catch {
    // a proxy's page: the status is all there is
  }
  return new Problem(request.status, said.detail ?? said.title ?? `the server answered ${request.status}`);
}

/** useUploads is the queue as it is. */
export function useUploads(): Item[] {
  return useSyncExternalStore((fn) => { listeners.add(fn); return () => listeners.delete(fn); }, () => queue);
}
