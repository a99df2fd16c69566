// The parts of a scan's page that come from lists of the server: findings, hosts, problems, tasks, log.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Empty, Failure, Loading } from "../../ui/states";
import { took, When } from "../../ui/when";
import { State } from "../../ui/words";
import { FindingTable } from "./FindingTable";
import type { Heard, Status } from "./live";
import { over } from "./live";

export function FindingsPart({ scan }: { scan: Status }) {
  const list = $api.useInfiniteQuery("get", "/api/v1/findings", { params: { query: { scan: scan.id, state: "all", limit: 50 } } }, {
    pageParamName: "cursor", initialPageParam: "", getNextPageParam: (p) => p.next ?? undefined,
  });
  if (list.isPending) return <Loading rows={8} label="Loading the findings" />;
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} what="the findings" />;
  const rows = list.data.pages.flatMap((p) => p.findings);
  const total = list.data.pages[0]!.total;
  if (rows.length === 0) return <Empty title="It found nothing">{scan.problems?.length ? "But it could not look at every target: see the problems." : "No known weakness in what it saw. Services whose version is not told may still have some."}</Empty>;
  return (
    <>
      <FindingTable rows={rows} caption="Findings of this scan, most urgent first" />
      <More shown={rows.length} total={total} more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} busy={list.isFetchingNextPage}>
        <Link to="/findings" search={{ scan: scan.id, state: "all" }}>Filter and triage them in Findings</Link>
      </More>
    </>
  );
}

/** More says how many of all are shown, and shows more. */
export function More({ shown, total, more, busy, children }: { shown: number; total: number; more?: () => void; busy?: boolean; children?: React.ReactNode }) {
  return (
    <div className="more">
      <span>{shown.toLocaleString()} of {total.toLocaleString()}</span>
      {more && <Button size="compact-sm" variant="default" loading={busy} onClick={more}>Show more</Button>}
      {children}
    </div>
  );
}

export function HostsPart({ scan }: { scan: Status }) {
  const limit = 100;
  const list = $api.useInfiniteQuery("get", "/api/v1/scans/{id}/hosts", { params: { path: { id: scan.id }, query: { limit } } }, {
    pageParamName: "skip", initialPageParam: 0, getNextPageParam: (p) => (p.skip + p.hosts.length < p.total && p.hosts.length > 0 ? p.skip + p.hosts.length : undefined),
    refetchInterval: over(scan) ? false : 5_000,
  });
  if (list.isPending) return <Loading rows={6} label="Loading the hosts" />;
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} what="the hosts" />;
  const rows = list.data.pages.flatMap((p) => p.hosts);
  if (rows.length === 0) return <Empty title="No host is known yet">They stand here as soon as the scan has looked for them.</Empty>;
  return (
    <>
      <table className="table">
        <caption className="sr">How the hosts answered</caption>
        <thead><tr><th scope="col">Host</th><th scope="col">Answer</th><th scope="col">Why</th></tr></thead>
        <tbody>
          {rows.map((h, i) => (
            <tr key={`${h.address ?? ""} ${h.name ?? ""} ${i}`}>
              <td>
                {h.id !== null ? <Link to="/assets/$id" params={{ id: String(h.id) }}><Inert text={h.address ?? h.name} mono /></Link> : <Inert text={h.address ?? h.name} mono />}
                {h.address && h.name && <div className="dim"><Inert text={h.name} /></div>}
              </td>
              <td className="nowrap">{h.status === "up" ? "answered" : h.status === "down" ? "silent" : <span className="dim">not known</span>}</td>
              <td className="dim">{h.reason ? <Inert text={h.reason} /> : <Missing why="no reason was told" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {(list.hasNextPage || rows.length > limit) && <More shown={rows.length} total={list.data.pages[0]!.total} more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} busy={list.isFetchingNextPage} />}
    </>
  );
}

export function ProblemsPart({ scan }: { scan: Status }) {
  const problems = scan.problems ?? [];
  if (!over(scan)) return <Empty title="That is known at the end">Targets that did not resolve or did not answer are named when the scan is over.</Empty>;
  if (problems.length === 0) return <Empty title="Every target was looked at">Nothing was left out, and every target answered.</Empty>;
  return (
    <>
      <p className="quiet">Nothing is known of these. A target that did not answer is not a clean one.</p>
      <table className="table">
        <caption className="sr">Targets that are not known to be clean</caption>
        <thead><tr><th scope="col">Target</th><th scope="col">Why</th></tr></thead>
        <tbody>{problems.map((p, i) => <tr key={i}><td><Inert text={p.target} mono /></td><td><Inert text={p.reason} /></td></tr>)}</tbody>
      </table>
      {problems.length >= 100 && <p className="quiet">These are the first 100. <Link to="/scans/$id" params={{ id: String(scan.id) }} search={{ tab: "hosts" }}>All hosts</Link> say how each answered.</p>}
    </>
  );
}

const stages: Record<string, string> = { discovery: "looking for hosts", services: "ports and services", web: "web servers" };

export function TasksPart({ scan }: { scan: Status }) {
  const list = $api.useQuery("get", "/api/v1/scans/{id}/tasks", { params: { path: { id: scan.id } } }, { refetchInterval: over(scan) ? false : 4_000 });
  if (list.isPending) return <Loading rows={5} label="Loading the tasks" />;
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} what="the tasks" />;
  if (list.data.tasks.length === 0) return <Empty title="No tasks">{scan.kind === "import" ? "An import reads one report; it has none." : "A scan is cut into tasks when it begins."}</Empty>;
  return (
    <table className="table">
      <caption className="sr">Tasks, in the order in which they were made</caption>
      <thead><tr><th scope="col">Task</th><th scope="col">State</th><th scope="col" className="num wide-only">Hosts</th><th scope="col" className="wide-only">Began</th><th scope="col" className="num wide-only">Took</th></tr></thead>
      <tbody>
        {list.data.tasks.slice(0, 1000).map((t) => (
          <tr key={t.n}>
            <td>
              <span style={{ fontWeight: 550 }}>{t.n}. {t.scanner}</span> <span className="dim">{stages[t.stage] ?? t.stage}{t.version && <>, version <Inert text={t.version} /></>}</span>
              <div className="dim"><Inert text={t.targets.slice(0, 2).join(", ")} mono />{t.hosts > 2 && ` and ${count(t.hosts - 2, "more host", "more hosts")}`}</div>
              {t.error && <div className="bad"><Inert text={t.error} /></div>}
            </td>
            <td><State value={t.status} />{t.attempts > 1 && <div className="dim nowrap">attempt {t.attempts}</div>}</td>
            <td className="num wide-only">{t.hosts.toLocaleString()}</td>
            <td className="wide-only"><When at={t.started_at} /></td>
            <td className="num wide-only nowrap">{t.started_at && t.finished_at ? took((Date.parse(t.finished_at) - Date.parse(t.started_at)) / 1000) : <Missing why="it has not ended" />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function LogPart({ heard, scan }: { heard: Heard; scan: Status }) {
  if (heard.log.length === 0) {
    if (heard.line === "connecting") return <Loading rows={3} label="Loading the log" />;
    return <Empty title="Nothing was written down">{over(scan) ? "Sentences of a scan are kept for some days after its end." : "What people should know while it runs comes here."}</Empty>;
  }
  return (
    <>
      <ul className="stream" aria-label="Log, newest first" tabIndex={0}>
        {heard.log.slice(0, 500).map((l) => <li key={l.seq}><span className="where"><When at={l.at} exact /></span><span className="grow"><Inert text={l.text} /></span></li>)}
      </ul>
      {heard.log.length > 500 && <p className="quiet">The newest 500 of {count(heard.log.length, "line")}.</p>}
    </>
  );
}
