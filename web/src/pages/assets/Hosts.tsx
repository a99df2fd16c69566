// The table of hosts: filter, walk, select many, say something of them.
import { Button } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import { $api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Rows } from "../../ui/rows";
import { Empty, Failure, Loading } from "../../ui/states";
import { Filters } from "./Filters";
import { hostColumns } from "./columns";
import { titleOf } from "./Host";
import { anySet, cleared, hostQuery, type Look } from "./search";

const Chosen = lazy(() => import("./Chosen").then((m) => ({ default: m.Chosen })));
const ReadTable = lazy(() => import("./ReadTable").then((m) => ({ default: m.ReadTable })));

export type Host = Schema<"HostListed">;
export type Set = (change: { [K in keyof Look]?: Look[K] | undefined }, how?: { replace?: boolean }) => void;

/** hostPages are the pages of hosts for a question. */
export function useHosts(look: Look) {
  return $api.useInfiniteQuery(
    "get", "/api/v1/assets", { params: { query: { ...hostQuery(look), sort: look.sort || "urgency", limit: 200 } } },
    { pageParamName: "cursor", initialPageParam: null as string | null, getNextPageParam: (page: Schema<"HostPage">) => page.next, placeholderData: keepPreviousData, staleTime: 30_000, refetchOnWindowFocus: false },
  );
}

/** Hosts is the tab of hosts. */
export function Hosts({ look, set }: { look: Look; set: Set }) {
  const found = useHosts(look);
  const may = useMay("analyst");
  const navigate = useNavigate();
  const [picked, setPicked] = useState<ReadonlyMap<number, Host>>(new Map());
  const [reading, setReading] = useState(false);
  const rows = found.data?.pages.flatMap((p) => p.hosts) ?? [];
  const total = found.data?.pages[0]?.total;
  const toggle = (id: number, range: number[]) => {
    const next = new Map(picked);
    const on = !next.has(id);
    for (const row of rows) if (range.includes(row.id)) on ? next.set(row.id, row) : next.delete(row.id);
    setPicked(next);
  };
  const all = rows.length > 0 && rows.every((r) => picked.has(r.id));
  return (
    <div className="assets-tab">
      <Filters look={look} set={set} what="hosts" actions={may && <Button variant="default" leftSection={<IconFileUpload size={15} aria-hidden="true" />} onClick={() => setReading(true)}>Owners from a file</Button>} />
      <section className="panel" aria-labelledby="list">
        <h2 id="list" className="sr">Hosts</h2>
        <div className="assets-count" role="status" aria-live="polite">
          {picked.size > 0 ? <strong>{count(picked.size, "host")} selected</strong> : <span className="dim">{found.isPlaceholderData ? "Searching …" : total === undefined ? "" : count(total, "host")}</span>}
          {picked.size > 0 && may && <Suspense><Chosen hosts={[...picked.values()]} done={() => setPicked(new Map())} /></Suspense>}
        </div>
        {found.isPending ? <Loading rows={12} /> : found.isError && rows.length === 0 ? <Failure error={found.error} what="the hosts" retry={() => void found.refetch()} /> : rows.length === 0 ? <None look={look} clear={() => set(cleared)} /> : (
          <Rows
            label="Hosts" rows={rows} columns={hostColumns} id={(h) => h.id} busy={found.isPlaceholderData} height={54} total={total} sort={{ now: look.sort || "urgency", set: (sort) => set({ sort: sort === "urgency" ? undefined : (sort as Look["sort"]) }) }}
            open={(h) => void navigate({ to: "/assets/$id", params: { id: String(h.id) } })}
            more={{ has: found.hasNextPage, loading: found.isFetchingNextPage, load: () => void found.fetchNextPage() }}
            picked={may ? { has: (id) => picked.has(Number(id)), toggle: (id, range) => toggle(Number(id), range.map(Number)), all, toggleAll: () => setPicked(all ? new Map() : new Map(rows.map((r) => [r.id, r]))), name: (id) => `Select ${plain(titleOf(rows.find((r) => r.id === id) ?? { id: Number(id), address: null, hostnames: [] }))}` } : undefined}
          />
        )}
        {found.isFetchingNextPage && <Loading rows={3} label="Loading more" />}
      </section>
      <Suspense>{reading && <ReadTable close={() => setReading(false)} />}</Suspense>
    </div>
  );
}

function None({ look, clear }: { look: Look; clear: () => void }) {
  const may = useMay("analyst");
  if (anySet(look)) return <Empty title="No host is like that" action={<Button variant="default" onClick={clear}>Clear the filters</Button>}>Words are looked for in addresses, names and systems.</Empty>;
  return (
    <Empty title="No host yet" action={may && <div className="picks"><Button component={Link} to="/scans" search={{ start: true } as never}>Start a scan</Button><Button component={Link} to="/import" variant="default">Import a report</Button></div>}>
      Hosts appear by themselves as soon as a scan or an imported report has seen them.
    </Empty>
  );
}
