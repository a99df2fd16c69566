import { Link } from "@tanstack/react-router";

import type { Schema } from "../../api/client";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { dayAfter, dayName } from "./headline";

const weekday = new Intl.DateTimeFormat(undefined, { weekday: "narrow", timeZone: "UTC" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", timeZone: "UTC" });

/** DueSoon shows how many findings are due on each of the next 14 days; each day leads to what is due by then. */
export function DueSoon({ today }: { today: Schema<"Today"> }) {
  const days = today.due_soon.filter((d): d is { day: string; findings: number } => d.day !== null);
  const most = Math.max(1, ...days.map((d) => d.findings));
  const sum = days.reduce((n, d) => n + d.findings, 0);
  if (sum === 0) return <Panel title="Due in the next 14 days" flush><p className="today-quiet dim">Nothing is due in these days.</p></Panel>;
  return (
    <Panel title="Due in the next 14 days" flush actions={<span className="dim">{count(sum, "finding")}</span>}>
      <div className="today-due-panel">
        <ol className="today-days">
          {days.map((d) => {
            const date = new Date(d.day + "T00:00:00Z");
            return (
              <li key={d.day}>
                <DayLink day={d.day} findings={d.findings}>
                  <span className="num today-day-n" aria-hidden="true">{d.findings > 0 ? d.findings.toLocaleString() : ""}</span>
                  <span className="today-bar" aria-hidden="true"><span style={{ height: d.findings > 0 ? `max(3px, ${(100 * d.findings) / most}%)` : 0 }} /></span>
                  <span className="dim" aria-hidden="true">{weekday.format(date)}</span>
                  <span className="num" aria-hidden="true">{day.format(date)}</span>
                </DayLink>
              </li>
            );
          })}
        </ol>
      </div>
    </Panel>
  );
}

function DayLink({ day, findings, children }: { day: string; findings: number; children: React.ReactNode }) {
  const says = `${count(findings, "finding")} due ${dayName(day)}`;
  if (findings === 0) return <span className="today-day" title={says}>{children}<span className="sr">{says}</span></span>;
  return (
    <Link to="/findings" search={{ due_before: dayAfter(day), sort: "due:desc" }} className="today-day" title={`${says}; shows all that is due by then, the latest first`}>
      {children}
      <span className="sr">{says}</span>
    </Link>
  );
}
