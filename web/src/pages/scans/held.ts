/** held is what of a list that grows at its front is shown to somebody who reads it: what he saw, as it is said now, and how many wait before it. */
export function held<T>(kept: T[], list: T[]): { shown: T[]; waiting: number } {
  const waiting = Math.max(0, list.length - kept.length);
  return { shown: list.slice(waiting), waiting };
}
