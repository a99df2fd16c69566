// The feeds: how old each is, what went wrong, when it comes again; loading them; what each load did.
import { Button, Progress } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { $api, api, base, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { failed, said } from "../../ui/said";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day, When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { held, nameOf, saysOf, scheduleOf, standingOf } from "./feeds";
import { Runs } from "./Runs";
import { settings } from "./stale";

type Feed = Schema<"FeedState">;

export function Feeds() {
  const status = $api.useQuery("get", "/api/v1/feeds/status", {}, { staleTime: 5_000, refetchInterval: 60_000 });
  const sync = useSync();
  const admin = useMay("admin");
  return (
    <div className="threats-stack">
      {sync.job && <Syncing job={sync.job} cancel={admin ? sync.cancel : undefined} />}
      <Panel title="Feeds" flush actions={admin && <Ask busy={!!sync.job || sync.asking} ask={sync.ask} />}>
        {status.isError && !status.data ? (
          <Failure error={status.error} what="the feeds" retry={() => void status.refetch()} />
        ) : !status.data ? (
          <Loading rows={14} label="Loading the feeds" />
        ) : status.data.feeds.length === 0 ? (
          <Empty title="No feed is known" />
        ) : (
          <Table feeds={status.data.feeds} admin={admin} busy={!!sync.job || sync.asking} ask={sync.ask} />
        )}
      </Panel>
      {!admin && <p className="dim">Loading feeds is for administrators.</p>}
      <Runs />
      <Channels />
    </div>
  );
}

function Ask({ busy, ask }: { busy: boolean; ask: (body: Schema<"SyncInputBody">) => void }) {
  return (
    <>
      <Button size="xs" variant="default" disabled={busy} onClick={() => ask({ due: true })}>Load what is due</Button>
      <Button size="xs" disabled={busy} onClick={() => ask({})}>Load all now</Button>
    </>
  );
}

/** useSync starts a load and follows it, also one that was started elsewhere or before a reload. */
function useSync() {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const jobs = $api.useQuery("get", "/api/v1/jobs", { params: { query: { kind: ["feeds"], state: ["queued", "running"], limit: 5 } } }, { refetchInterval: (q) => (q.state.data?.jobs.length ? 1_000 : 10_000) });
  const job = jobs.data?.jobs.find((j) => j.state === "running") ?? jobs.data?.jobs[0];
  const before = useRef<number | null>(null);
  useEffect(() => {
    const last = before.current;
    before.current = job?.id ?? null;
    if (last !== null && last !== job?.id) void ended(last).finally(() => settings(client, "/api/v1/feeds/status", "/api/v1/ingestion/runs", "/api/v1/catalogue"));
  }, [job?.id, client]);
  const ask = (body: Schema<"SyncInputBody">) => {
    setAsking(true);
    api.POST("/api/v1/feeds/sync", { body })
      .then(() => jobs.refetch())
      .catch((error: unknown) => failed(error, "The feeds are not being loaded"))
      .finally(() => setAsking(false));
  };
  const cancel = (id: number) => {
    api.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id } } }).catch((error: unknown) => failed(error, "It goes on"));
  };
  return { job, asking, ask, cancel };
}

/** ended tells how a load ended. */
async function ended(id: number) {
  const { data: job } = await api.GET("/api/v1/jobs/{id}", { params: { path: { id } } });
  if (job?.state === "done") said("The feeds were loaded. What changed stands below.");
  else if (job?.state === "dead") failed(new Error(job.error ?? "it gave no reason"), "Loading the feeds failed");
  else if (job?.state === "cancelled") said("Loading was cancelled. What was known before stands.");
}

function Syncing({ job, cancel }: { job: Schema<"Job">; cancel?: (id: number) => void }) {
  const waits = job.state === "queued";
  return (
    <section className="panel threats-sync" aria-label="Loading feeds" aria-live="polite">
      <div>
        <strong>{waits ? "Waiting to load" : "Loading feeds"}</strong> <span className="dim"><Inert text={job.stage ?? (waits ? "another job is running" : "starting")} />, since <When at={job.started_at ?? job.created_at} /></span>
      </div>
      <Progress value={waits ? 100 : job.percent} animated={waits} striped={waits} aria-label="Progress of loading" size="sm" />
      <span className="num nowrap">{waits ? "" : `${Math.round(job.percent)} %`}</span>
      {cancel && <Button size="xs" variant="default" disabled={job.cancelling} onClick={() => cancel(job.id)}>{job.cancelling ? "Ending" : "Cancel"}</Button>}
    </section>
  );
}

function Table({ feeds, admin, busy, ask }: { feeds: Feed[]; admin: boolean; busy: boolean; ask: (body: Schema<"SyncInputBody">) => void }) {
  return (
    <table className="table threats-table threats-lines">
      <thead>
        <tr>
          <th scope="col">Feed</th>
          <th scope="col">State</th>
          <th scope="col" className="right">Records</th>
          <th scope="col" className="wide-only">Newest record</th>
          <th scope="col">Loaded</th>
          <th scope="col" className="wide-only">Last run</th>
          <th scope="col" className="wide-only">Next run</th>
          {admin && <th scope="col"><span className="sr">Load</span></th>}
        </tr>
      </thead>
      <tbody>{feeds.map((f) => <Line key={f.feed} f={f} admin={admin} busy={busy} ask={ask} />)}</tbody>
    </table>
  );
}

function Line({ f, admin, busy, ask }: { f: Feed; admin: boolean; busy: boolean; ask: (body: Schema<"SyncInputBody">) => void }) {
  const is = standingOf(f);
  return (
    <tr>
      <th scope="row" className="threats-cve">
        <Inert text={nameOf(f.feed)} />
        <div className="threats-title">{saysOf(f.feed)}</div>
      </th>
      <td>
        {is.tone === "good" || is.tone === "info" ? <Chip tone={is.tone} title={is.says}>{is.word}</Chip> : (
          <details className="threats-error">
            <summary><Chip tone={is.tone}>{is.word}</Chip> <span className="threats-why">Why</span></summary>
            <div><Inert text={is.says} />.</div>
            {f.error && <div><Inert text={f.error} mono /></div>}
          </details>
        )}
      </td>
      <td className="right num">{f.records > 0 || f.last_good_at ? f.records.toLocaleString() : <Missing why="never loaded" />}<span className="threats-unit"> records</span></td>
      <td className="wide-only"><Day at={f.newest} /></td>
      <td><When at={f.last_good_at} />{f.source && <div className="threats-title threats-source" title={f.source}>from <Inert text={f.source} /></div>}</td>
      <td className="wide-only"><When at={f.last_run_at} /></td>
      <td className="wide-only">{f.enabled && f.due_at ? <When at={f.due_at} /> : <Missing why={f.enabled ? "only when you ask" : "off"} />}<div className="threats-title">{scheduleOf(f.schedule)}</div></td>
      {admin && (
        <td className="right">
          <Button size="compact-xs" variant="default" disabled={busy} onClick={() => ask({ feeds: [f.feed] })} aria-label={`Load ${nameOf(f.feed)} now`}>Load</Button>
          {held(f) && <Button size="compact-xs" variant="subtle" color="red" mt={4} disabled={busy} onClick={() => ask({ feeds: [f.feed], force: true })}>Load although it removes much</Button>}
        </td>
      )}
    </tr>
  );
}

const channels: [string, string][] = [["exploited", "Newly exploited"], ["critical", "Newly critical"], ["latest", "Newest CVEs"]];

function Channels() {
  return (
    <Panel title="For your feed reader">
      <p className="dim">What is new in the catalogue, as RSS and Atom. It tells nothing of your hosts. A reader that does not share your session sends a token of yours with the scope feeds:read.</p>
      <ul className="threats-links">
        {channels.map(([channel, name]) => (
          <li key={channel}>
            <span>{name}</span>
            {(["rss", "atom"] as const).map((format) => (
              <a key={format} href={new URL(`feeds/${channel}.${format}`, base).href} target="_blank" rel="noreferrer noopener">{format === "rss" ? "RSS" : "Atom"}<span className="sr"> of {name}</span></a>
            ))}
          </li>
        ))}
      </ul>
      <p className="dim">Add <code>?vendor=</code>, <code>?product=</code> or <code>?search=</code> to the address to narrow it; {count(50, "entry", "entries")} each, more with <code>limit=</code>.</p>
    </Panel>
  );
}
