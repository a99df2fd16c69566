// How the number of open findings developed, and what was found and fixed each day.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { $api, type Schema } from "../../api/client";
import { Chart, type Shape } from "../../ui/chart";
import { oneOf, textOf, useChosen, type Raw } from "../../ui/chosen";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";

const spans = ["90", "30", "365"] as const;
const inOrder = ["30", "90", "365"] as const;

type Chosen = { days: (typeof spans)[number] };

const repair = (raw: Raw): Chosen => ({ days: oneOf(textOf(raw.days), spans) });

export function Trend() {
  const [{ days }, choose] = useChosen(repair);
  const trend = $api.useQuery("get", "/api/v1/findings/trend", { params: { query: { days: Number(days) } } }, { staleTime: 60_000, placeholderData: (before) => before });
  return (
    <Panel title="Open and fixed" actions={
      <div className="today-spans" role="group" aria-label="How far back">
        {inOrder.map((d) => <button key={d} type="button" aria-pressed={d === days} onClick={() => choose({ days: d === "90" ? undefined : d }, { replace: true })}>{d === "365" ? "1 year" : `${d} days`}</button>)}
      </div>
    }>
      {trend.data ? <Drawn trend={trend.data} /> : trend.isError ? <Failure error={trend.error} what="the trend" retry={() => void trend.refetch()} /> : <Loading rows={6} />}
    </Panel>
  );
}

function Drawn({ trend }: { trend: Schema<"Trend"> }) {
  const { days } = trend;
  const shape = useMemo(() => shapeOf(days), [days]);
  const rows = useMemo(() => days.toReversed().map((d) => [<Day key="d" at={d.day} />, d.open.toLocaleString(), d.opened.toLocaleString(), d.fixed.toLocaleString(), d.closed.toLocaleString()]), [days]);
  if (days.length < 2) return <p className="dim">The trend begins with the second day. Older reports that you import count by their own dates.</p>;
  const opened = sum(days, "opened");
  const fixed = sum(days, "fixed");
  const now = days.at(-1)!.open;
  return (
    <>
      <p className="today-legend">
        <span><i data-kind="open" aria-hidden="true" /><Link to="/findings">{now.toLocaleString()} open now</Link></span>
        <span><i data-kind="opened" aria-hidden="true" />{opened.toLocaleString()} found</span>
        <span><i data-kind="fixed" aria-hidden="true" /><Link to="/findings" search={{ state: "fixed" }}>{fixed.toLocaleString()} fixed</Link></span>
        {trend.since && <span className="dim">confirmed findings, known since <Day at={trend.since} /></span>}
      </p>
      <Chart label={`Open findings by day: ${days[0]!.open.toLocaleString()} at first, ${now.toLocaleString()} now; ${opened.toLocaleString()} found and ${fixed.toLocaleString()} fixed in between.`}
        shape={shape} height={260} head={["Day (UTC)", "Open", "Found", "Fixed", "Closed otherwise"]} rows={rows} />
    </>
  );
}

const sum = (days: Schema<"TrendDay">[], what: "opened" | "fixed") => days.reduce((n, d) => n + d[what], 0);

const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
// An axis has room for "12K", the tip and the table say 12,345.
const few = new Intl.NumberFormat(undefined, { notation: "compact" });
const full = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** shapeOf: what is open as a line above; what was found and fixed as bars up and down below, with a measure of their own. */
function shapeOf(days: Schema<"TrendDay">[]): Shape {
  const names = days.map((d) => d.day ?? "");
  const label = (name: string) => short.format(new Date(name + "T00:00:00Z"));
  return {
    option: (c) => {
      const category = { type: "category" as const, data: names, boundaryGap: true, axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } } };
      const value = { type: "value" as const, minInterval: 1, splitNumber: 3, splitLine: { lineStyle: { color: c.line } }, axisLabel: { color: c.dim, formatter: (n: number) => few.format(Math.abs(n)) } };
      return {
        grid: [{ left: 40, right: 10, top: 10, height: 140 }, { left: 40, right: 10, top: 168, bottom: 24 }],
        axisPointer: { link: [{ xAxisIndex: "all" }] },
        xAxis: [{ ...category, gridIndex: 0, axisLabel: { show: false } }, { ...category, gridIndex: 1, axisLine: { show: false }, axisLabel: { color: c.dim, formatter: label, hideOverlap: true } }],
        yAxis: [{ ...value, gridIndex: 0 }, { ...value, gridIndex: 1, splitNumber: 2 }],
        series: [
          { type: "line", data: days.map((d) => d.open), xAxisIndex: 0, yAxisIndex: 0, step: "end", symbol: "none", lineStyle: { color: c.accent, width: 2 }, areaStyle: { color: c.accent, opacity: 0.08 } },
          { type: "bar", stack: "day", data: days.map((d) => d.opened), xAxisIndex: 1, yAxisIndex: 1, barMaxWidth: 10, itemStyle: { color: c.high } },
          { type: "bar", stack: "day", data: days.map((d) => -d.fixed), xAxisIndex: 1, yAxisIndex: 1, barMaxWidth: 10, itemStyle: { color: c.good } },
        ],
      };
    },
    tip: (i) => {
      const d = days[i]!;
      const lines: [string, string][] = [["Open", d.open.toLocaleString()], ["Found", d.opened.toLocaleString()], ["Fixed", d.fixed.toLocaleString()]];
      if (d.closed > 0) lines.push(["Closed otherwise", d.closed.toLocaleString()]);
      return { title: full.format(new Date(names[i] + "T00:00:00Z")), lines };
    },
  };
}
