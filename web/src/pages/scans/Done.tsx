// What came of a scan: one sentence, then who looked, and against what it was matched.
import { Link } from "@tanstack/react-router";
import { IconAlertTriangle } from "@tabler/icons-react";

import { $api, type Schema } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Facts, Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { Day, When } from "../../ui/when";
import { Chip, severities } from "../../ui/words";
import type { Status } from "./live";
import { lasted, scannerWord, stateOf } from "./words";

export function Done({ scan }: { scan: Status }) {
  const summary = $api.useQuery("get", "/api/v1/reports/{scan_id}", { params: { path: { scan_id: scan.id } } });
  return (
    <>
      {scan.status === "failed" && <Ending scan={scan} />}
      <div className="columns">
        <Panel title="Summary">
          {summary.isPending && <Loading rows={3} label="Loading the summary" />}
          {summary.isError && <Failure error={summary.error} what="the summary" retry={() => void summary.refetch()} />}
          {summary.data && <Summary scan={scan} summary={summary.data} />}
        </Panel>
        <Panel title="How it was done"><How scan={scan} summary={summary.data} /></Panel>
      </div>
    </>
  );
}

function Ending({ scan }: { scan: Status }) {
  const says = { cancelled: "It was cancelled. What it found until then is kept; what it did not look at stays as it was.", interrupted: "Its process ended before it did. Continue it from its last completed task." }[stateOf(scan)];
  return <div className="note" data-kind={says ? "" : "bad"}><IconAlertTriangle size={16} aria-hidden="true" /><span>{says ?? <>It failed: <Inert text={scan.reason} /></>}</span></div>;
}

function Summary({ scan, summary }: { scan: Status; summary: Schema<"Summary"> }) {
  const { counts } = summary;
  const by = severities.filter((s) => (counts.by_severity[s] ?? 0) > 0);
  const time = lasted(scan);
  const possible = counts.total - counts.confirmed;
  const problems = scan.problems?.length ?? 0;
  const id = String(scan.id);
  return (
    <>
      <p className="sum">
        {time ? <>In <strong>{time}</strong>, </> : "By its end, "}
        <Link to="/scans/$id" params={{ id }} search={{ tab: "hosts" }}>{count(summary.hosts_up, "host")}</Link> answered{summary.services > 0 ? ` with ${count(summary.services, "service")}` : ", without an open port that was looked at"}.{" "}
        {counts.total === 0 ? "No known weakness was found in them." : (
          <>
            It saw <Link to="/findings" search={{ scan: scan.id, confirmed: true }}>{count(counts.confirmed, "confirmed finding")}</Link>
            {by.length > 0 && <> ({by.map((s, i) => <span key={s}>{i > 0 && ", "}<Link to="/findings" search={{ scan: scan.id, confirmed: true, severity: [s] }}>{counts.by_severity[s]!.toLocaleString()} {s === "unknown" ? "not scored" : s}</Link></span>)})</>}
            {possible > 0 && <> and <Link to="/findings" search={{ scan: scan.id, potential: true }}>{count(possible, "possible one")}</Link></>}.{" "}
            {counts.kev > 0 && <><Link to="/findings" search={{ scan: scan.id, kev: true }}>{counts.kev === 1 ? "1 is" : `${counts.kev.toLocaleString()} are`} known to be exploited</Link>. </>}
          </>
        )}
        {scan.new_findings !== null && <><strong>{scan.new_findings.toLocaleString()}</strong> of them the baseline had not seen. </>}
        {problems > 0 && <Link to="/scans/$id" params={{ id }} search={{ tab: "problems" }}>{problems >= 100 ? "At least 100 targets" : count(problems, "target")} {problems === 1 ? "is" : "are"} not known to be clean.</Link>}
      </p>
      {summary.remedies.length > 0 && (
        <>
          <h3 style={{ margin: "16px 0 6px" }}>Do first</h3>
          <ol style={{ margin: 0, paddingLeft: 20, display: "grid", gap: 4, fontSize: "0.8125rem" }}>
            {summary.remedies.slice(0, 4).map((r) => (
              <li key={r.key ?? r.name}>
                <Inert text={r.action ?? r.name} />{" "}
                <Link to="/findings" search={{ scan: scan.id, remedy: r.key ?? undefined }} className="nowrap">{count(r.findings, "finding")}</Link>
                <span className="dim"> on {count(r.hosts, "host")}{r.due && <>, due <Day at={r.due} due /></>}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

function How({ scan, summary }: { scan: Status; summary: Schema<"Summary"> | undefined }) {
  const catalogue = summary?.scan.catalogue;
  const used = catalogue?.feeds.filter((f) => f.age_hours !== null) ?? [];
  return (
    <>
      <ul className="scanner-list" aria-label="Scanners">
        {scan.scanners.map((s) => {
          const { word, tone } = scannerWord(s);
          return <li key={s.name}><strong style={{ fontWeight: 550 }}>{s.name}</strong> <Chip tone={tone}>{word}</Chip>{s.error && <span className="says"><Inert text={s.error} /></span>}</li>;
        })}
      </ul>
      <div style={{ height: 14 }} />
      <Facts rows={[
        ["Began", <When key="b" at={scan.started_at} exact />],
        ["Ended", <When key="e" at={scan.completed_at} exact />],
        ["Matched against", catalogue ? <span key="c">{count(catalogue.records, "CVE")}{catalogue.starter ? " of the starter catalogue" : ""}, the newest of <Day at={catalogue.newest} /></span> : <Missing key="c" />],
        ["Feeds at its end", used.length ? <span key="f" title={used.map((f) => `${f.name} ${age(f.age_hours!)}`).join(", ")}>{oldest(used)}</span> : <Missing key="f" why="no feed had run" />],
      ]} />
    </>
  );
}

function oldest(feeds: Schema<"FeedAge">[]): string {
  const old = feeds.reduce((a, b) => (b.age_hours! > a.age_hours! ? b : a));
  return feeds.length === 1 ? `${old.name}, ${age(old.age_hours!)} old` : `${feeds.length} feeds, the oldest ${age(old.age_hours!)} old (${old.name})`;
}

const age = (hours: number) => (hours < 1 ? "under 1 h" : hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`);
