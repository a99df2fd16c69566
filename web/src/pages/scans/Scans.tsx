// All scans, newest first, and where a new one begins.
import { Button, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { count } from "../../ui/numbers";
import { Page, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { over } from "./live";
import { ScanRows } from "./ScanRows";
import { listSearch, type ListSearch } from "./search";
import "./scans.css";

const Start = lazy(() => import("./Start").then((m) => ({ default: m.Start })));

function useScans(chosen: ListSearch) {
  const query = { limit: 50, status: chosen.status || undefined, site: chosen.site || undefined, kind: chosen.kind === "all" ? undefined : chosen.kind || ("scan" as const) };
  return $api.useInfiniteQuery("get", "/api/v1/scans", { params: { query } }, {
    pageParamName: "cursor",
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: (q) => (q.state.data?.pages.some((p) => p.scans.some((s) => !over(s))) ? 3_000 : 20_000),
    placeholderData: (old) => old,
  });
}

export function Scans() {
  const [chosen, choose] = useChosen(listSearch);
  const may = useMay("analyst");
  const navigate = useNavigate();
  const scans = useScans(chosen);
  const rows = scans.data?.pages.flatMap((p) => p.scans) ?? [];
  const total = scans.data?.pages[0]?.total ?? 0;
  const begin = may && <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => choose({ start: true })}>New scan</Button>;
  const compare = (id: number) => {
    if (!chosen.pick || chosen.pick === id) return choose({ pick: chosen.pick === id ? 0 : id }, { replace: true });
    void navigate({ to: "/scans/$id/compare", params: { id: String(Math.max(id, chosen.pick)) }, search: { with: Math.min(id, chosen.pick) } });
  };
  return (
    <Page title="Scans" about="What was looked at, by whom, and what it found." actions={begin} wide>
      <Filters chosen={chosen} choose={choose} shown={scans.data ? count(total, chosen.kind === "import" ? "import" : chosen.kind === "all" ? "scan or import" : "scan", chosen.kind === "all" ? "scans and imports" : undefined) : ""} />
      <Panel flush>
        {chosen.pick > 0 && (
          <div className="picked" role="status">
            <span>Scan {chosen.pick} is picked. Pick another to compare the two.</span>
            <Button size="compact-sm" variant="default" onClick={() => choose({ pick: 0 }, { replace: true })}>Do not compare</Button>
          </div>
        )}
        {scans.isPending && <Loading rows={8} label="Loading the scans" />}
        {scans.isError && !scans.data && <Failure error={scans.error} retry={() => void scans.refetch()} what="the scans" />}
        {scans.data && rows.length === 0 && <Nothing chosen={chosen} choose={choose} begin={begin} />}
        {rows.length > 0 && <ScanRows rows={rows} pick={chosen.pick} compare={compare} />}
        {scans.hasNextPage && (
          <div className="more">
            <span>{rows.length.toLocaleString()} of {total.toLocaleString()}</span>
            <Button size="compact-sm" variant="default" loading={scans.isFetchingNextPage} onClick={() => void scans.fetchNextPage()}>Show older ones</Button>
          </div>
        )}
      </Panel>
      {chosen.start && (
        <Suspense>
          <Start targets={chosen.targets} profile={chosen.profile} site={chosen.site} close={() => choose({ start: false, targets: "", profile: "" }, { replace: true })} />
        </Suspense>
      )}
    </Page>
  );
}

type Choose = (change: Partial<ListSearch>, how?: { replace?: boolean }) => void;

function Filters({ chosen, choose, shown }: { chosen: ListSearch; choose: Choose; shown: string }) {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  return (
    <div className="filters" role="group" aria-label="Filters">
      <Select aria-label="What to list" w={170} allowDeselect={false} value={chosen.kind} onChange={(v) => choose({ kind: (v ?? "") as ListSearch["kind"], pick: 0 })}
        data={[{ value: "", label: "Scans" }, { value: "import", label: "Imports" }, { value: "all", label: "Scans and imports" }]} />
      <Select aria-label="Status" w={150} allowDeselect={false} value={chosen.status} onChange={(v) => choose({ status: (v ?? "") as ListSearch["status"] })}
        data={[{ value: "", label: "Any status" }, { value: "pending", label: "Waiting" }, { value: "running", label: "Running" }, { value: "completed", label: "Completed" }, { value: "failed", label: "Failed" }]} />
      {(names.length > 1 || chosen.site) && (
        <Select aria-label="Site" w={170} allowDeselect={false} searchable={names.length > 8} value={chosen.site} onChange={(v) => choose({ site: v ?? "" })}
          data={[{ value: "", label: "All sites" }, ...(chosen.site && !names.includes(chosen.site) ? [chosen.site] : []), ...names]} />
      )}
      <span className="grow" />
      <span className="dim" role="status">{shown}</span>
    </div>
  );
}

function Nothing({ chosen, choose, begin }: { chosen: ListSearch; choose: Choose; begin: React.ReactNode }) {
  if (chosen.status || chosen.site || chosen.kind)
    return <Empty title="No scan is like that" action={<Button variant="default" onClick={() => choose({ status: "", site: "", kind: "" })}>Show all scans</Button>}>The filters leave out every scan that there is.</Empty>;
  return (
    <Empty title="Nothing was scanned yet" action={begin || undefined}>
      Name an address or a network; the built-in scanner needs nothing installed. Reports of other scanners can be <Link to="/import">imported</Link>.
    </Empty>
  );
}
