// Moments and days, in the reader's own time; UTC stands behind them.
import { useEffect, useState } from "react";

import { Missing } from "./inert";

const day = 86_400_000;
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const dateUTC = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** ago says how far a moment is from now: "3 hours ago", "in 2 days". */
export function ago(at: number, now = Date.now()): string {
  const gap = at - now;
  const far = Math.abs(gap);
  if (far < 45_000) return gap > 0 ? "in a moment" : "just now";
  if (far < 45 * 60_000) return relative.format(Math.round(gap / 60_000), "minute");
  if (far < 22 * 3_600_000) return relative.format(Math.round(gap / 3_600_000), "hour");
  if (far < 26 * day) return relative.format(Math.round(gap / day), "day");
  if (far < 320 * day) return relative.format(Math.round(gap / (30.44 * day)), "month");
  return relative.format(Math.round(gap / (365.25 * day)), "year");
}

function useMinute() {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
}

/** When shows a moment as its distance from now, or in full. The title has both it and UTC. */
export function When({ at, exact }: { at: string | null | undefined; exact?: boolean }) {
  useMinute();
  if (!at) return <Missing />;
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return <Missing why="not a date" />;
  return (
    <time dateTime={at} title={`${full.format(time)} (${time.toISOString().replace(/\.\d+Z$/, "Z")} UTC)`} className="nowrap">
      {exact ? full.format(time) : ago(time.getTime())}
    </time>
  );
}

/** Day shows a calendar day ("2026-12-04"), or the day of a moment. due says how long there is, and that it is over. */
export function Day({ at, due }: { at: string | null | undefined; due?: boolean }) {
  if (!at) return <Missing why={due ? "no date" : "not known"} />;
  const calendar = /^\d{4}-\d{2}-\d{2}$/.test(at);
  const time = new Date(calendar ? at + "T00:00:00Z" : at);
  if (Number.isNaN(time.getTime())) return <Missing why="not a date" />;
  const left = daysLeft(at);
  const tone = left < 0 ? "critical" : left <= 3 ? "high" : undefined;
  return (
    <time dateTime={at} title={`${at}${calendar ? "" : " UTC"}`} className="nowrap" style={due && tone ? { color: `var(--sev-${tone})`, fontWeight: 600 } : undefined}>
      {due ? leftWords(left) : (calendar ? dateUTC : date).format(time)}
    </time>
  );
}

/** daysLeft is how many whole days there are until a day; negative is over. */
export function daysLeft(at: string, now = Date.now()): number {
  return Math.round((Date.parse(at.slice(0, 10)) - Math.floor(now / day) * day) / day);
}

export function leftWords(left: number): string {
  if (left < -1) return `${-left} days over`;
  if (left === -1) return "1 day over";
  if (left === 0) return "today";
  if (left === 1) return "tomorrow";
  return `in ${left} days`;
}

/** took is a length of time in words that fit a table: "4.2 s", "3 min 5 s". */
export function took(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
