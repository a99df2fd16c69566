// What the server does in the background: what runs, what waits, what gave up.
import { Button, NativeSelect, Progress, SegmentedControl } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing, Raw } from "../../ui/inert";
import { Facts, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { State, wordOf } from "../../ui/words";
import { useAct } from "./act";
import { jobKinds, jobStates, repairJobs } from "./search";

type Job = Schema<"Job">;

const path = "/api/v1/jobs";

export function Jobs() {
  const [{ state, kind, after, job }, choose] = useChosen(repairJobs);
  const jobs = $api.useQuery(
    "get", "/api/v1/jobs", { params: { query: { state: state ? [state] : undefined, kind: kind ? [kind] : undefined, cursor: after || undefined, limit: 50 } } },
    { placeholderData: keepPreviousData, refetchInterval: (q) => (q.state.data?.jobs.some((j) => j.state === "running" || j.state === "queued") ? 2_000 : 15_000) },
  );
  return (
    <Panel title="Newest first" flush>
      <div className="settings-filters">
        <SegmentedControl size="xs" aria-label="State" value={state} onChange={(s) => choose({ state: s as typeof state, after: "", job: "" })} data={jobStates.map((s) => ({ value: s, label: s ? wordOf(s) : "All" }))} className="settings-states" />
        <NativeSelect size="xs" aria-label="Kind" value={kind} onChange={(e) => choose({ kind: e.currentTarget.value as typeof kind, after: "", job: "" })} data={jobKinds.map((k) => ({ value: k, label: k ? nameOf(k) : "All kinds" }))} />
      </div>
      {jobs.isError && !jobs.data ? <Failure error={jobs.error} what="the jobs" retry={() => void jobs.refetch()} /> : !jobs.data ? <Loading rows={6} label="Loading jobs" /> : jobs.data.jobs.length === 0 ? (
        state || kind ? <Empty title={state === "dead" ? "Nothing gave up" : "No job is like that"} action={<Button variant="default" onClick={() => choose({ state: "", kind: "", after: "" })}>Show all jobs</Button>} /> : <Empty title="Nothing was done in the background yet">Scans, imports and loads of feeds appear here while they run, and for 30 days after.</Empty>
      ) : (
        <>
          <Table jobs={jobs.data.jobs} open={job} show={(id) => choose({ job: id === job ? "" : id })} />
          <nav className="settings-pages" aria-label="Pages of jobs">
            <Button variant="default" size="xs" disabled={!after} onClick={() => choose({ after: "", job: "" })}>Newest</Button>
            <Button variant="default" size="xs" disabled={!jobs.data.next} onClick={() => choose({ after: jobs.data.next ?? "", job: "" })}>Older</Button>
          </nav>
        </>
      )}
    </Panel>
  );
}

const names: Record<string, string> = {
  scan: "Scan", tool: "Tool of a scan", import: "Import", ingest: "Own records", feeds: "Feeds", rematch: "Judging anew", triage: "Triage of many", purge: "Clearing out", report: "Report", paths: "Attack paths",
};

const nameOf = (kind: string) => names[kind] ?? kind;

function Table({ jobs, open, show }: { jobs: Job[]; open: string; show: (id: string) => void }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col" className="wide-only">Begun</th>
          <th scope="col" className="wide-only">By</th>
          <th scope="col"><span className="sr">Do</span></th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((j) => (
          <Fragment key={j.id}>
            <Line j={j} open={open === String(j.id)} show={() => show(String(j.id))} />
            {open === String(j.id) && <tr><td colSpan={5} id={`job-${j.id}`}><Details id={j.id} /></td></tr>}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Line({ j, open, show }: { j: Job; open: boolean; show: () => void }) {
  return (
    <tr>
      <th scope="row">{nameOf(j.kind)} <span className="settings-sub">job {j.id}</span><div className="settings-sub">{j.scan_id !== null && <Link to="/scans/$id" params={{ id: String(j.scan_id) }}>scan {j.scan_id}</Link>}{j.site && <> site <Inert text={j.site} /></>}</div></th>
      <td>
        <State value={j.state} /> {j.cancelling && <span className="dim">ending</span>}
        {j.state === "running" && <Progress value={j.percent} size="xs" mt={5} aria-label={`Progress of job ${j.id}`} />}
        {j.stage && j.state === "running" && <div className="settings-sub"><Inert text={j.stage} /></div>}
        {j.state === "queued" && j.run_at && <div className="settings-sub">not before <When at={j.run_at} /></div>}
        {j.error && <div className="settings-sub"><Inert text={j.error} /></div>}
      </td>
      <td className="wide-only">{j.started_at ? <When at={j.started_at} /> : <Missing why="not begun" />}{!j.started_at && <div className="settings-sub">asked for <When at={j.created_at} /></div>}</td>
      <td className="wide-only"><Inert text={j.by} /></td>
      <td>
        <div className="settings-do">
          <Do j={j} />
          <Button size="compact-xs" variant="subtle" aria-expanded={open} aria-controls={`job-${j.id}`} onClick={show} aria-label={`${open ? "Hide" : "Show"} job ${j.id}`}>{open ? "Hide" : "Show"}</Button>
        </div>
      </td>
    </tr>
  );
}

/** Jobs of the server's upkeep need an administrator. */
const upkeep = ["feeds", "ingest", "rematch", "purge", "paths"];

function Do({ j }: { j: Job }) {
  const { act, busy } = useAct();
  const analyst = useMay("analyst");
  const admin = useMay("admin");
  if (!(upkeep.includes(j.kind) ? admin : analyst)) return null;
  const at = { params: { path: { id: j.id } } };
  if ((j.state === "queued" || j.state === "running") && !j.cancelling)
    return <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Cancel job ${j.id}`} onClick={() => void act(() => api.POST("/api/v1/jobs/{id}/cancel", at), { done: j.state === "queued" ? `Job ${j.id} was cancelled.` : `Job ${j.id} ends within seconds. What it did is kept.`, failed: "The job goes on", stale: [path] })}>Cancel</Button>;
  if (j.state === "dead")
    return <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Retry job ${j.id}`} onClick={() => void act(() => api.POST("/api/v1/jobs/{id}/retry", at), { done: `Job ${j.id} begins again, with all its attempts.`, failed: "The job was not begun again", stale: [path] })}>Retry</Button>;
  return null;
}

function Details({ id }: { id: number }) {
  const { data: j, isError, error } = $api.useQuery("get", "/api/v1/jobs/{id}", { params: { path: { id } } }, { refetchInterval: (q) => (q.state.data?.state === "running" ? 2_000 : false) });
  if (isError && !j) return <Failure error={error} what={`job ${id}`} />;
  if (!j) return <Loading rows={3} />;
  return (
    <div className="settings-form">
      <Facts
        rows={[
          ["Attempts", `${j.attempt} of ${j.max_attempts}`],
          ["Runs at", j.lane ? <Inert key="l" text={`the workers of ${j.lane}`} /> : "the server"],
          ["Worker", <Inert key="w" text={j.worker} />],
          ["Ended", j.finished_at ? <When key="f" at={j.finished_at} exact /> : "not yet"],
        ]}
      />
      {j.error && <Raw text={j.error} label="Error of the last attempt" />}
      {j.result !== null && j.result !== undefined && <details><summary>What it came to</summary><Raw text={JSON.stringify(j.result, null, 2)} label={`Result of job ${id}`} /></details>}
    </div>
  );
}
