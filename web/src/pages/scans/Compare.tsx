// Two scans beside each other: what came, what went, what stayed, and what nobody looked at again.
import { Select } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";

import { $api, type Schema } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Page, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { FindingTable } from "./FindingTable";
import { More } from "./Parts";
import { compareSearch, numberOf, whats, type What } from "./search";
import { differences, nameOf } from "./words";
import "./scans.css";

export function Compare() {
  const id = numberOf((useParams({ strict: false }) as { id?: string }).id);
  if (id === null) return <Page title="No scan"><Empty title="There is no such scan" action={<Link to="/scans">All scans</Link>}>Scans have numbers; this is none.</Empty></Page>;
  return <Two id={id} />;
}

function useComparison(id: number, chosen: { with: number; what: What }) {
  const query = { with: chosen.with || undefined, what: chosen.what, limit: 50 };
  return $api.useInfiniteQuery("get", "/api/v1/scans/{id}/compare", { params: { path: { id }, query } }, {
    pageParamName: "cursor",
    initialPageParam: "",
    getNextPageParam: (p) => p.next ?? undefined,
    placeholderData: (old) => old,
  });
}

function Two({ id }: { id: number }) {
  const [chosen, choose] = useChosen(compareSearch);
  const scan = $api.useQuery("get", "/api/v1/scans/{id}", { params: { path: { id } } });
  const list = useComparison(id, chosen);
  const first = list.data?.pages[0];
  return (
    <Page title={first?.with ? `Scan ${first.scan} against scan ${first.with}` : "Compare two scans"} about="What a later scan saw otherwise than an earlier one." wide>
      <Versus id={id} site={scan.data?.site} first={first} chosen={chosen.with} choose={(other) => choose({ with: other })} />
      {list.isPending && <Panel flush><Loading rows={8} label="Comparing the scans" /></Panel>}
      {list.isError && <Panel flush><Failure error={list.error} what="the comparison" retry={() => void list.refetch()} /></Panel>}
      {first && !list.isError && (first.with === null || !first.counts ? <Alone id={id} /> : (
        <>
          <Quarters counts={first.counts} what={chosen.what} choose={(what) => choose({ what }, { replace: true })} />
          <Panel flush title={differences[chosen.what].title} actions={<span className="dim" role="status">{count(first.counts[chosen.what], "finding")}</span>}>
            <p className="explains">{differences[chosen.what].says(first.with, first.scan)}</p>
            <div aria-busy={list.isPlaceholderData} style={{ opacity: list.isPlaceholderData ? 0.5 : 1 }}>
              <Listed list={list} what={chosen.what} total={first.counts[chosen.what]} />
            </div>
          </Panel>
        </>
      ))}
    </Page>
  );
}

function Listed({ list, what, total }: { list: ReturnType<typeof useComparison>; what: What; total: number }) {
  const rows = list.data?.pages.flatMap((p) => p.findings) ?? [];
  if (rows.length === 0) return <Empty title={nothing[what].title}>{nothing[what].says}</Empty>;
  return (
    <>
      <FindingTable rows={rows} caption={`${differences[what].title}, most urgent first`} />
      {total > rows.length && <More shown={rows.length} total={total} more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} busy={list.isFetchingNextPage} />}
    </>
  );
}

const nothing: Record<What, { title: string; says: string }> = {
  new: { title: "Nothing new", says: "All that the later scan saw, the earlier one had seen." },
  fixed: { title: "Nothing was fixed", says: "What the later scan looked at again is still there." },
  unchanged: { title: "Nothing stayed", says: "No finding was seen by both." },
  not_looked: { title: "All was looked at again", says: "Nothing that the earlier scan saw was left out of the later one." },
};

function Quarters({ counts, what, choose }: { counts: Schema<"CompareCounts">; what: What; choose: (w: What) => void }) {
  return (
    <div className="quarters" role="group" aria-label="What to list">
      {whats.map((w) => (
        <button key={w} type="button" aria-pressed={w === what} onClick={() => choose(w)}>
          <b>{counts[w].toLocaleString()}</b>
          <span className={w === what ? undefined : "dim"}>{differences[w].title}</span>
        </button>
      ))}
    </div>
  );
}

function Alone({ id }: { id: number }) {
  return (
    <Panel flush>
      <Empty title="There is no earlier scan of the same targets" action={<Link to="/scans/$id" params={{ id: String(id) }}>Back to the scan</Link>}>Choose any other scan of its site above, or repeat this one and compare then.</Empty>
    </Panel>
  );
}

/** Versus says which two are compared, and lets the other one be chosen. Which is the later follows from when they looked. */
function Versus({ id, site, first, chosen, choose }: { id: number; site: string | undefined; first: Schema<"Comparison"> | undefined; chosen: number; choose: (other: number) => void }) {
  const list = $api.useQuery("get", "/api/v1/scans", { params: { query: { site, limit: 200 } } }, { enabled: site !== undefined });
  const others = (list.data?.scans ?? []).filter((s) => s.id !== id && (s.status === "completed" || s.status === "failed"));
  const other = chosen || (first ? (first.with === id ? first.scan : first.with) : null) || 0;
  const data = others.map((s) => ({ value: String(s.id), label: `${s.id}: ${plain(nameOf(s))}${s.kind === "import" ? " (import)" : ""}` }));
  if (other && !data.some((d) => d.value === String(other))) data.unshift({ value: String(other), label: String(other) });
  const later = first?.with ? first.scan : id;
  return (
    <div className="versus">
      <One word={!first?.with ? "Scan" : later === id ? "Later" : "Earlier"} id={id} />
      <Select label={!first?.with ? "Compared with" : later === id ? "Earlier" : "Later"} w={320} maw="100%" searchable allowDeselect={false} value={other ? String(other) : null} placeholder="Choose a scan" data={data} onChange={(v) => v && choose(Number(v))} nothingFoundMessage="No such scan of this site" />
      {other > 0 && <One word="" id={other} />}
    </div>
  );
}

function One({ word, id }: { word: string; id: number }) {
  const scan = $api.useQuery("get", "/api/v1/scans/{id}", { params: { path: { id } } });
  return (
    <dl>
      <dt>{word}</dt>
      <dd>
        <Link to={scan.data?.kind === "import" ? "/import/$id" : "/scans/$id"} params={{ id: String(id) }}>{scan.data?.kind === "import" ? "Import" : "Scan"} {id}</Link>
        {scan.data && <span className="dim">, {word ? <Inert text={nameOf(scan.data)} /> : null}{word ? ", " : ""}<When at={scan.data.started_at ?? scan.data.created_at} />{scan.data.reason === "cancelled" ? ", cancelled" : ""}</span>}
      </dd>
    </dl>
  );
}
