// Does things to findings: the rows change at once, the server is told, and a toast takes it back.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";

import { api, queries } from "../../api/client";
import { failed } from "../../ui/said";
import { back, done, lasting, saying, type Deed, type Earlier } from "./deeds";
import type { Filter } from "./fields";
import type { Target } from "./kinds";
import { changeRows, renewRows, type Row } from "./reader";

/** most is how many findings one request changes. */
export const most = 20_000;

const together = 5000; // ids in one request
const moment = 7000; // ms for which what cannot be taken back is held back

export const sizeOf = (target: Target): number => ("rows" in target ? target.rows.length : target.total);

type Selection = { ids?: number[]; filter?: Filter; confirm?: number };

/** tell sends one deed; it answers the rules that were made of it. */
async function tell(deed: Deed, on: Selection, keepalive = false): Promise<number[]> {
  const options = { keepalive };
  const body = { ...on };
  switch (deed.do) {
    case "triage": {
      const { data } = await api.POST("/api/v1/findings/triage", { body: { ...body, state: deed.state, reason: deed.reason, until: deed.until, scope: deed.scope }, ...options });
      return data?.rules ?? [];
    }
    case "assign":
      await api.POST("/api/v1/findings/assign", { body: { ...body, to: deed.to }, ...options });
      return [];
    case "label":
      await api.POST("/api/v1/findings/label", { body: { ...body, label: deed.label }, ...options });
      return [];
    case "comment":
      await api.POST("/api/v1/findings/comment", { body: { ...body, comment: deed.comment }, ...options });
      return [];
    default:
      await api.POST("/api/v1/findings/close", { body: { ...body, reason: deed.reason }, ...options });
      return [];
  }
}

async function tellAll(deed: Deed, target: Target, keepalive = false): Promise<number[]> {
  if ("filter" in target) return tell(deed, { filter: target.filter, confirm: target.total }, keepalive);
  const ids = target.rows.map((r) => r.id);
  const rules: number[] = [];
  for (let i = 0; i < ids.length; i += together) {
    const part = ids.slice(i, i + together);
    rules.push(...(await tell(deed, { ids: part, confirm: part.length }, keepalive)));
  }
  return rules;
}

/** renew asks again for everything that shows findings. */
export function renew() {
  renewRows();
  void queries.invalidateQueries({ predicate: (q) => typeof q.queryKey[1] === "string" && /^\/api\/v1\/(findings|vulnerabilities|today)/.test(q.queryKey[1]) });
}

const details = (id: number) => ["get", "/api/v1/vulnerabilities/{id}/details", { params: { path: { id } } }];

function show(ids: ReadonlySet<number> | null, fn: <R extends Earlier>(row: R) => R) {
  changeRows(ids, fn);
  ids?.forEach((id) => queries.setQueryData(details(id), (old: Row | undefined) => (old ? fn(old) : old)));
}

const idsOf = (target: Target) => ("rows" in target ? new Set(target.rows.map((r) => r.id)) : null);

/** restore shows again what there was, but for what was changed since by something else. */
function restore(before: readonly Earlier[]) {
  const was = new Map(before.map((r) => [r.id, r]));
  show(new Set(was.keys()), (row) => {
    const { triage, triage_reason, triage_until, triage_rule, assignee, labels, state } = was.get(row.id)!;
    return { ...row, triage, triage_reason, triage_until, triage_rule, assignee, labels, state };
  });
}

/** collect reads what the findings of a filter are now, so that each can be given back what it was. */
async function collect(target: Target): Promise<Earlier[]> {
  if ("rows" in target) return target.rows;
  const all: Earlier[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await api.GET("/api/v1/findings", { params: { query: { ...target.filter, limit: 1000, cursor } } });
    for (const { id, triage, triage_reason, triage_until, triage_rule, assignee, labels, state } of data!.findings)
      all.push({ id, triage, triage_reason, triage_until, triage_rule, assignee, labels, state });
    cursor = data!.next ?? undefined;
  } while (cursor && all.length < most);
  return all;
}

let lastUndo: (() => void) | null = null;

/** undoLast takes back what was done last, as Ctrl-Z does. */
export const undoLast = () => lastUndo?.();

function toast(message: string, undo: (() => void) | null, close = moment): string {
  const id = `deed-${crypto.randomUUID?.() ?? String(performance.now())}`;
  const taken = undo && (() => {
    notifications.hide(id);
    if (lastUndo === taken) lastUndo = null;
    undo();
  });
  lastUndo = taken;
  notifications.show({
    id,
    color: "teal",
    autoClose: close,
    withCloseButton: true,
    closeButtonProps: { "aria-label": "Close" },
    message: (
      <div style={{ display: "flex", alignItems: "center", gap: 12, justifyContent: "space-between" }}>
        <span>{message}</span>
        {taken && <Button size="compact-sm" variant="light" onClick={taken}>Undo</Button>}
      </div>
    ),
  });
  return id;
}

/** act does a deed. It answers whether it was done, or will be. */
export async function act(deed: Deed, target: Target): Promise<boolean> {
  return lasting(deed) ? later(deed, target) : now(deed, target);
}

async function now(deed: Deed, target: Target): Promise<boolean> {
  const big = "filter" in target && target.total > 1000;
  const wait = big ? notifications.show({ loading: true, autoClose: false, withCloseButton: false, message: `Changing ${target.total.toLocaleString()} findings …` }) : null;
  let before: Earlier[] = [];
  try {
    before = await collect(target);
    show(idsOf(target), (row) => done(row, deed));
    const rules = await tellAll(deed, target);
    toast(saying(deed, sizeOf(target)), () => void takeBack(deed, before, rules));
    return true;
  } catch (error) {
    restore(before);
    failed(error, "Nothing was changed");
    return false;
  } finally {
    if (wait) notifications.hide(wait);
    renew();
  }
}

async function takeBack(deed: Deed, before: readonly Earlier[], rules: number[]) {
  restore(before);
  try {
    for (const id of rules) await api.DELETE("/api/v1/rules/{id}", { params: { path: { id } } });
    if (rules.length === 0)
      for (const part of back(deed, before))
        for (let i = 0; i < part.ids.length; i += together) {
          const ids = part.ids.slice(i, i + together);
          await tell(part.deed, { ids, confirm: ids.length });
        }
    toast("Taken back.", null, 3000);
  } catch (error) {
    failed(error, "Could not take it back");
  } finally {
    renew();
  }
}

// The server keeps comments and closings for good: they are sent when the moment for a second thought is over, or when the
// page goes.
async function later(deed: Deed, target: Target): Promise<boolean> {
  const before = "rows" in target ? target.rows : [];
  show(idsOf(target), (row) => done(row, deed));
  let over = false;
  const send = async (keepalive: boolean) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    window.removeEventListener("pagehide", leaving);
    try {
      await tellAll(deed, target, keepalive);
    } catch (error) {
      restore(before);
      failed(error, "Nothing was changed");
    }
    renew();
  };
  const leaving = () => void send(true);
  const timer = setTimeout(() => void send(false), moment);
  window.addEventListener("pagehide", leaving);
  toast(saying(deed, sizeOf(target)), () => {
    over = true;
    clearTimeout(timer);
    window.removeEventListener("pagehide", leaving);
    restore(before);
    renew();
  });
  return true;
}
