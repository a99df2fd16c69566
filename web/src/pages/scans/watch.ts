// Does what live.ts orders: opens sockets, waits, asks. Whoever watches stops it.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, base, Problem } from "../../api/client";
import { first, silence, step, type Happening, type Heard, type Message, type Order } from "./live";

const batch = 150; // ms: a fast scan tells more than a screen can show one by one

function address(id: number, since: number): URL {
  const at = new URL(`api/v1/scans/ws/${id}?since=${since}`, base);
  at.protocol = at.protocol.replace("http", "ws");
  return at;
}

/** watch tells of a scan until it is over or the answer is called. */
export function watch(id: number, tell: (heard: Heard) => void): () => void {
  let heard = silence;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let flushing: ReturnType<typeof setTimeout> | undefined;
  let messages: Message[] = [];
  const asking = new AbortController();

  const happen = (e: Happening) => {
    if (asking.signal.aborted) return;
    const next = step(heard, e);
    heard = next.heard;
    tell(heard);
    next.orders.forEach(follow);
  };
  const flush = () => {
    clearTimeout(flushing);
    flushing = undefined;
    if (messages.length === 0) return;
    const all = messages;
    messages = [];
    happen({ what: "messages", messages: all });
  };
  const connect = (since: number) => {
    const s = new WebSocket(address(id, since));
    socket = s;
    s.onopen = () => happen({ what: "opened" });
    s.onmessage = (e) => {
      messages.push(JSON.parse(String(e.data)) as Message);
      flushing ??= setTimeout(flush, batch);
    };
    s.onclose = (e) => {
      flush();
      happen({ what: "closed", code: e.code });
    };
  };
  const ask = async () => {
    try {
      const { data } = await api.GET("/api/v1/scans/{id}", { params: { path: { id } }, signal: asking.signal });
      happen({ what: "answered", scan: data! });
    } catch (error) {
      happen({ what: "refused", status: error instanceof Problem ? error.status : 0 });
    }
  };
  const follow = (order: Order) => {
    if (order.do === "connect") connect(order.since);
    else if (order.do === "ask") void ask();
    else timer = setTimeout(() => happen({ what: "woke" }), order.ms);
  };
  const online = () => {
    if (heard.line !== "waiting") return;
    clearTimeout(timer);
    happen({ what: "woke" });
  };

  window.addEventListener("online", online);
  const start = setTimeout(() => first().orders.forEach(follow), 0); // an effect that is undone at once opens no socket
  return () => {
    asking.abort();
    window.removeEventListener("online", online);
    [start, timer, flushing].forEach(clearTimeout);
    socket?.close();
  };
}

/** statusKey is where the answer of GET /scans/{id} is kept. */
export const statusKey = (id: number) => ["get", "/api/v1/scans/{id}", { params: { path: { id } } }] as const;

/** useLive is what is heard of a scan while `on`. Where it stands goes to the answer of GET /scans/{id} as well. */
export function useLive(id: number, on: boolean): Heard {
  const client = useQueryClient();
  const [shown, show] = useState<{ id: number; heard: Heard }>({ id, heard: silence });
  useEffect(() => {
    if (!on) return;
    let last: Heard = silence;
    return watch(id, (heard) => {
      if (heard.scan && heard.scan !== last.scan) client.setQueryData(statusKey(id), heard.scan);
      if (heard.line === "over" && last.line !== "over") void client.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/api/v1/") });
      last = heard;
      show({ id, heard });
    });
  }, [id, on, client]);
  return shown.id === id ? shown.heard : silence;
}
