import { describe, expect, it } from "vitest";

import { first, over, pause, silence, step, type Heard, type Message, type Status } from "./live";

const scan = (status: Status["status"]) => ({ id: 7, status, progress: 10 }) as Status;
const say = (seq: number, type: Message["type"], data: unknown): Message => ({ seq, scan_id: 7, at: "2026-03-02T10:20:30Z", type, data }) as Message;
const told = (heard: Heard, ...messages: Message[]) => step(heard, { what: "messages", messages }).heard;
const begun = told(step(first().heard, { what: "opened" }).heard, say(0, "state", scan("running")));

describe("what is heard", () => {
  it("begins with a connection from the first event", () => {
    expect(first().orders).toEqual([{ do: "connect", since: 0 }]);
  });

  it("keeps the state, and the newest of each list first", () => {
    const h = told(begun, say(1, "host", { address: "10.0.0.1" }), say(2, "host", { address: "10.0.0.2" }), say(3, "log", { text: "hello" }));
    expect(h.scan?.status).toBe("running");
    expect(h.hosts.map((x) => x.address)).toEqual(["10.0.0.2", "10.0.0.1"]);
    expect(h.log[0]!.text).toBe("hello");
    expect(h.since).toBe(3);
  });

  it("passes over what it knows after coming back", () => {
    const h = told(begun, say(1, "log", { text: "a" }), say(2, "log", { text: "b" }));
    const again = told(h, say(2, "state", scan("running")), say(2, "log", { text: "b" }), say(3, "log", { text: "c" }));
    expect(again.log.map((l) => l.text)).toEqual(["c", "b", "a"]);
  });

  it("knows a finding by its id, wherever it is told again", () => {
    const h = told(begun, say(1, "finding", { id: 1, new: true, scanner: "native" }), say(2, "finding", { id: 2, new: false }));
    const again = told(h, say(3, "finding", { id: 1, new: false, scanner: "nmap" }));
    expect(again.findings.map((f) => f.id)).toEqual([2, 1]);
    expect(again.findings[1]).toMatchObject({ scanner: "nmap", new: true });
    expect(told(begun, say(1, "finding", { id: 1, new: true }), say(2, "finding", { id: 1, new: false })).findings).toEqual([{ id: 1, new: true }]);
  });

  it("leaves what it was before as it was", () => {
    told(begun, say(1, "host", { address: "10.0.0.1" }));
    expect(begun.hosts).toEqual([]);
    expect(silence.hosts).toEqual([]);
  });
});

describe("when the line breaks", () => {
  it("is over after the end, whatever the code", () => {
    const h = told(begun, say(1, "end", scan("completed")));
    expect(step(h, { what: "closed", code: 1006 }).heard.line).toBe("over");
    expect(step(begun, { what: "closed", code: 1000 }).heard.line).toBe("over");
    expect(told(begun, say(1, "end", null)).scan?.status).toBe("running"); // untold: the page asks
  });

  it("stops for good when one may not watch any more, or the scan is gone", () => {
    expect(step(begun, { what: "closed", code: 4001 })).toMatchObject({ heard: { line: "out" }, orders: [] });
    const gone = step(begun, { what: "closed", code: 4004 });
    expect(gone).toMatchObject({ heard: { line: "gone" }, orders: [] });
    expect(step(gone.heard, { what: "woke" }).orders).toEqual([]);
  });

  it.each([1001, 1006, 1008, 1011, 4008])("comes back after %i from the last event that it has", (code) => {
    const h = told(begun, say(5, "log", { text: "x" }));
    const closed = step(h, { what: "closed", code });
    expect(closed).toMatchObject({ heard: { line: "waiting" }, orders: [{ do: "wait", ms: 500 }] });
    expect(step(closed.heard, { what: "woke" })).toMatchObject({ heard: { line: "connecting" }, orders: [{ do: "connect", since: 5 }] });
  });

  it("waits longer each time, and half a minute at most", () => {
    expect([1, 2, 3, 7, 8, 20].map(pause)).toEqual([500, 1000, 2000, 30_000, 30_000, 30_000]);
  });

  it("asks for the scan when no socket can be had, and tries the socket now and then", () => {
    let s = first();
    for (let i = 0; i < 3; i++) s = step(step(s.heard, { what: "woke" }).heard, { what: "closed", code: 1006 });
    expect(s).toMatchObject({ heard: { line: "polling" }, orders: [{ do: "ask" }] });
    for (let i = 1; i < 10; i++) {
      s = step(s.heard, { what: "answered", scan: scan("running") });
      expect(s.orders).toEqual([{ do: "wait", ms: 3000 }]);
      s = step(s.heard, { what: "woke" });
      expect(s.orders).toEqual([{ do: "ask" }]);
    }
    s = step(s.heard, { what: "answered", scan: scan("running") });
    expect(s).toMatchObject({ heard: { line: "connecting" }, orders: [{ do: "connect", since: 0 }] });
    expect(step(s.heard, { what: "closed", code: 1006 }).heard.line).toBe("polling");
    expect(told(s.heard, say(0, "state", scan("running")))).toMatchObject({ line: "live", tries: 0 });
  });

  it("hears of the end by asking, too", () => {
    const polling = { ...begun, line: "polling" as const };
    expect(step(polling, { what: "answered", scan: scan("failed") })).toMatchObject({ heard: { line: "over", ended: true }, orders: [] });
    expect(step(polling, { what: "refused", status: 404 }).heard.line).toBe("gone");
    expect(step(polling, { what: "refused", status: 401 }).heard.line).toBe("out");
    expect(step(polling, { what: "refused", status: 0 })).toMatchObject({ heard: { line: "polling" }, orders: [{ do: "wait", ms: 3000 }] });
  });
});

it("knows which scans are over", () => {
  expect((["pending", "running", "completed", "failed"] as const).filter((s) => over({ status: s }))).toEqual(["completed", "failed"]);
});
