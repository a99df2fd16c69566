// What each load of a feed or of own records did, line by line.
import { Button, NativeSelect } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import { Fragment } from "react";

import { $api, type Schema } from "../../api/client";
import { useSystem } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { took, When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { nameOf, secondsOf, sumOf } from "./feeds";
import { repair } from "./search";

type Run = Schema<"IngestionRun">;

const limit = 25;

export function Runs() {
  const [{ feed, before, run }, choose] = useChosen(repair);
  const system = useSystem();
  const runs = $api.useQuery("get", "/api/v1/ingestion/runs", { params: { query: { feed: feed || undefined, cursor: before || undefined, limit } } }, { placeholderData: keepPreviousData });
  const pick = (
    <NativeSelect
      size="xs" aria-label="Runs of" value={feed} onChange={(e) => choose({ feed: e.currentTarget.value, before: undefined, run: undefined })}
      data={[{ value: "", label: "All feeds" }, ...[...new Set([...(system.data?.feeds ?? []), ...(feed ? [feed] : [])])].map((f) => ({ value: f, label: nameOf(f) }))]}
    />
  );
  return (
    <Panel title="Loads" flush actions={pick}>
      {runs.isError && !runs.data ? (
        <Failure error={runs.error} what="the loads" retry={() => void runs.refetch()} />
      ) : !runs.data ? (
        <Loading rows={8} label="Loading the loads" />
      ) : runs.data.runs.length === 0 ? (
        <Empty title="Nothing was loaded yet">The starter catalogue is in use. Load the feeds to know of all CVEs.</Empty>
      ) : (
        <>
          <List runs={runs.data.runs} open={run} show={(id) => choose({ run: id === run ? undefined : id })} />
          <nav className="threats-pages" aria-label="Pages of loads">
            <Button variant="default" size="xs" disabled={before === 0} onClick={() => choose({ before: undefined, run: undefined })}>Newest</Button>
            <Button variant="default" size="xs" disabled={runs.data.next === null} onClick={() => choose({ before: runs.data.next ?? undefined, run: undefined })}>Older</Button>
          </nav>
        </>
      )}
    </Panel>
  );
}

function List({ runs, open, show }: { runs: Run[]; open: number; show: (id: number) => void }) {
  return (
    <table className="table threats-table">
      <thead>
        <tr>
          <th scope="col">Feed</th>
          <th scope="col">Began</th>
          <th scope="col">Result</th>
          <th scope="col" className="wide-only right">Seen</th>
          <th scope="col" className="wide-only right">New</th>
          <th scope="col" className="wide-only right">Changed</th>
          <th scope="col" className="wide-only right">As before</th>
          <th scope="col" className="right">Rejected</th>
          <th scope="col" className="wide-only right">Took</th>
          <th scope="col"><span className="sr">Details</span></th>
        </tr>
      </thead>
      <tbody>
        {runs.map((r) => (
          <Fragment key={r.id}>
            <Line r={r} open={open === r.id} show={() => show(r.id)} />
            {open === r.id && (
              <tr>
                <td colSpan={10} className="threats-whole" id={`run-${r.id}`}><Details r={r} /></td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

const results: Record<string, { word: string; tone: "good" | "high" | "info" | "low" }> = {
  ok: { word: "Good", tone: "good" }, unchanged: { word: "Nothing new", tone: "info" }, failed: { word: "Failed", tone: "high" }, running: { word: "Running", tone: "low" },
};

function Line({ r, open, show }: { r: Run; open: boolean; show: () => void }) {
  const seconds = secondsOf(r);
  const result = results[r.status] ?? { word: r.status, tone: "info" as const };
  const number = (n: number) => (r.status === "unchanged" || (r.status === "failed" && r.seen === 0) ? <Missing why="not read" /> : n.toLocaleString());
  return (
    <tr>
      <th scope="row" className="threats-cve"><Inert text={nameOf(r.feed)} /></th>
      <td><When at={r.started_at} /></td>
      <td><Chip tone={result.tone}>{result.word}</Chip></td>
      <td className="wide-only right num">{number(r.seen)}</td>
      <td className="wide-only right num">{number(r.inserted)}</td>
      <td className="wide-only right num">{number(r.updated)}</td>
      <td className="wide-only right num">{number(r.unchanged)}</td>
      <td className="right num">{r.rejected > 0 ? <strong>{r.rejected.toLocaleString()}</strong> : number(0)}</td>
      <td className="wide-only right num nowrap">{seconds === null ? <Missing why="still running" /> : took(seconds)}</td>
      <td className="right">
        <Button size="compact-xs" variant="subtle" aria-expanded={open} aria-controls={`run-${r.id}`} onClick={show} aria-label={`${open ? "Hide" : "Show"} load ${r.id}`}>{open ? "Hide" : "Show"}</Button>
      </td>
    </tr>
  );
}

function Details({ r }: { r: Run }) {
  return (
    <div className="threats-stack">
      <div>
        Load {r.id}{r.source && <> from <Inert text={r.source} mono /></>}. {count(r.seen, "record")} = {r.inserted.toLocaleString()} new + {r.updated.toLocaleString()} changed + {r.unchanged.toLocaleString()} as before + {r.rejected.toLocaleString()} rejected
        {sumOf(r) !== r.seen && r.seen > 0 && <strong> (does not add up)</strong>}.
      </div>
      {r.error && <div><span className="dim">Error: </span><Inert text={r.error} mono /></div>}
      {r.reasons.length > 0 && (
        <div>
          <span className="dim">Rejected:</span>
          <ul className="threats-reasons">
            {r.reasons.map((why) => (
              <li key={why.reason}>
                {count(why.count, "record")}: <Inert text={why.reason} />
                {why.places.length > 0 && <div className="dim mono">{why.places.map((p, i) => <div key={i}><Inert text={p} /></div>)}</div>}
              </li>
            ))}
          </ul>
        </div>
      )}
      {!r.error && r.reasons.length === 0 && <div className="dim">Nothing was rejected.</div>}
    </div>
  );
}
