// Several tabs of one browser share one session. What signs in or out in one of them is told to the others, and a tab that
// is looked at again asks who is signed in now: none goes on with another user's pages, or with a token that has ended.
import type { Schema } from "./client";

type Word = { kind: "in"; user: number | null; name: string } | { kind: "out" };

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("patchscout-session");

/** tellTabs says to the other tabs who has signed in here, or that somebody has signed out (null). */
export function tellTabs(me: Schema<"Me"> | null) {
  channel?.postMessage((me ? { kind: "in", user: me.user_id, name: me.name } : { kind: "out" }) satisfies Word);
}

/** onTabs calls fn when another tab has signed in or out, or when this one is looked at again; it returns how to stop. */
export function onTabs(fn: () => void): () => void {
  const seen = () => document.visibilityState === "visible" && fn();
  channel?.addEventListener("message", fn);
  document.addEventListener("visibilitychange", seen);
  return () => {
    channel?.removeEventListener("message", fn);
    document.removeEventListener("visibilitychange", seen);
  };
}
