// A visit goes on until nobody looked for half an hour: reloading the page, or coming back to it from a finding, still
// shows what changed since the visit before. The server keeps when somebody last looked; without sign-in the browser does.

export type Kept = { since: string | null; seen: string };

const pause = 30 * 60_000;

/** sinceOf is the moment to ask for: of the visit that goes on, or null where the server knows better. */
export function sinceOf(kept: Kept | null, serverKeeps: boolean, now = Date.now()): string | null {
  if (!kept) return null;
  const seen = Date.parse(kept.seen);
  if (now - seen < pause && now >= seen) return kept.since;
  return serverKeeps ? null : kept.seen;
}

/** read is what the browser keeps of somebody's visits, or null when that is nothing that can be used. */
export function read(storage: Pick<Storage, "getItem">, key: string): Kept | null {
  try {
    const kept = JSON.parse(storage.getItem(key) ?? "null") as Partial<Kept> | null;
    const good = (at: unknown) => typeof at === "string" && !Number.isNaN(Date.parse(at));
    return kept && good(kept.seen) && (kept.since === null || good(kept.since)) ? (kept as Kept) : null;
  } catch {
    return null;
  }
}

/** keep remembers that the page was looked at now. */
export function keep(storage: Pick<Storage, "setItem">, key: string, since: string | null, now = Date.now()) {
  try {
    storage.setItem(key, JSON.stringify({ since, seen: new Date(now).toISOString() } satisfies Kept));
  } catch {
    // storage is off or full: the next visit then tells of what the server keeps
  }
}
