// What answers on hosts and what is installed on them, by product and version; each line leads to its hosts and findings.
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { $api, type Schema } from "../../api/client";
import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Rows, type Column } from "../../ui/rows";
import { Empty, Failure, Loading } from "../../ui/states";
import { Decision, KEV } from "../../ui/words";
import { Filters } from "./Filters";
import type { Set } from "./Hosts";
import { cleared, type Look } from "./search";

type Service = Schema<"ServiceKind">;
type Software = Schema<"SoftwareKind">;
type Counted = Pick<Service, "hosts" | "findings" | "decision" | "kev">;
type Props = { look: Look; set: Set };

const paging = { pageParamName: "cursor", initialPageParam: null as string | null, getNextPageParam: (page: { next: string | null }) => page.next, placeholderData: keepPreviousData, staleTime: 30_000, refetchOnWindowFocus: false } as const;

/** counted are the columns that both lists end with; hosts and findings lead to their lists. */
function counted<T extends Counted>(findings: (row: T) => Record<string, unknown>): Column<T>[] {
  const list = (row: T, more: Record<string, unknown>, shown: ReactNode) => <Link to="/findings" search={{ ...findings(row), ...more } as never}>{shown}</Link>;
  return [
    { key: "decision", name: "Most urgent", width: "150px", away: "small", cell: (r) => (r.decision || r.kev ? <span className="picks"><Decision value={r.decision} />{(r.kev ?? 0) > 0 && <KEV />}</span> : <span className="dim">nothing open</span>) },
    { key: "findings", name: "Open findings", width: "120px", right: true, away: "small", cell: (r) => (r.findings > 0 ? list(r, {}, <span className="num">{r.findings.toLocaleString()}</span>) : <span className="dim num">0</span>) },
    { key: "hosts", name: "Hosts", width: "90px", right: true, away: "small", cell: (r) => (r.findings > 0 ? list(r, { group: "host" }, <span className="num">{r.hosts.toLocaleString()}</span>) : <span className="num">{r.hosts.toLocaleString()}</span>) },
  ];
}

// On a phone the numbers stand below the name.
function Second({ row, to }: { row: Counted; to: Record<string, unknown> }) {
  return <span className="rows-second">{row.decision && <Decision value={row.decision} />}{(row.kev ?? 0) > 0 && <KEV />}{row.findings > 0 ? <Link to="/findings" search={to as never}>{count(row.findings, "finding")}</Link> : <span className="dim">nothing open</span>}<span className="dim">on {count(row.hosts, "host")}</span></span>;
}

const ofService = (s: Service): Record<string, unknown> => ({ port: s.ports.slice(0, 20), ...(s.product ? { product: s.product } : {}), protocol: [s.protocol] });

const serviceColumns: Column<Service>[] = [
  {
    key: "product", name: "Product",
    cell: (s) => (
      <>
        {s.product ? <Link to="/catalogue" search={{ q: plain(s.product) } as never} title="CVEs with this word"><Inert text={s.product} /></Link> : <span className="dim" title="no scanner or report names a product"><Inert text={s.service} /></span>} <span className="assets-version"><Inert text={s.version ?? ""} /></span>
        <Second row={s} to={ofService(s)} />
      </>
    ),
  },
  { key: "version", name: "Version", width: "150px", away: "small", cell: (s) => (s.version ? <Inert text={s.version} mono cut /> : <Missing />) },
  { key: "service", name: "Service", width: "120px", away: "middle", cell: (s) => <Inert text={s.service} cut /> },
  { key: "ports", name: "Ports", width: "150px", away: "middle", cell: (s) => <span className="mono" title={s.ports.join(", ")}>{s.ports.slice(0, 3).join(", ")}{s.ports.length > 3 && ` +${s.ports.length - 3}`}/{plain(s.protocol)}</span> },
  ...counted<Service>(ofService),
];

/** Services is the tab of services. */
export function Services({ look, set }: Props) {
  const query = { search: look.q.trim() || undefined, site: look.site || undefined, port: look.port ? Number(look.port) : undefined, product: look.product || undefined, limit: 200 };
  const found = $api.useInfiniteQuery("get", "/api/v1/assets/services", { params: { query } }, paging);
  return (
    <Listing
      name="Services" look={look} set={set} found={found} rows={found.data?.pages.flatMap((p) => p.services) ?? []} total={found.data?.pages[0]?.total} columns={serviceColumns}
      id={(s) => [s.product, s.version, s.service, s.protocol].join("\n")} why="Services appear when a scan or a report names what answers at a port." one="service"
    />
  );
}

const softwareColumns: Column<Software>[] = [
  {
    key: "name", name: "Package or component",
    cell: (s) => (
      <>
        <Inert text={s.name} /> <span className="assets-version"><Inert text={s.version ?? ""} /></span>
        <Second row={s} to={{ component: s.name }} />
      </>
    ),
  },
  { key: "version", name: "Version", width: "200px", away: "small", cell: (s) => (s.version ? <Inert text={s.version} mono cut /> : <Missing />) },
  ...counted<Software>((s) => ({ component: s.name })),
];

/** Software is the tab of packages and components. */
export function Software({ look, set }: Props) {
  const found = $api.useInfiniteQuery("get", "/api/v1/assets/software", { params: { query: { search: look.q.trim() || undefined, site: look.site || undefined, limit: 200 } } }, paging);
  return (
    <Listing
      name="Software" look={look} set={set} found={found} rows={found.data?.pages.flatMap((p) => p.software) ?? []} total={found.data?.pages[0]?.total} columns={softwareColumns}
      id={(s) => s.name + "\n" + (s.version ?? "")} one="package" why="It comes from reports of Trivy, Grype, Nessus and others and from component lists (CycloneDX, SPDX): those packages that something is known against."
    />
  );
}

type Found = { isPending: boolean; isError: boolean; error: unknown; isPlaceholderData: boolean; hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown; refetch: () => unknown };

function Listing<T>({ name, look, set, found, rows, total, columns, id, why, one }: Props & { name: "Services" | "Software"; found: Found; rows: T[]; total?: number; columns: Column<T>[]; id: (row: T) => string; why: string; one: string }) {
  const any = look.q || look.site || look.port || look.product;
  return (
    <div className="assets-tab">
      <Filters look={look} set={set} what={name === "Services" ? "services" : "software"} />
      <section className="panel" aria-labelledby="list">
        <h2 id="list" className="sr">{name}</h2>
        <div className="assets-count dim" role="status" aria-live="polite">{found.isPlaceholderData ? "Searching …" : total === undefined ? "" : `${count(total, one)}, the most urgent first`}</div>
        {found.isPending ? <Loading rows={10} /> : found.isError && rows.length === 0 ? <Failure error={found.error} what={name.toLowerCase()} retry={() => void found.refetch()} /> : rows.length === 0 ? (
          any ? <Empty title="Nothing is like that" action={<Button variant="default" onClick={() => set(cleared)}>Clear the filters</Button>}>Words are looked for in names and versions.</Empty>
            : <Empty title={`No ${one} is known yet`} action={<Button component={Link} to="/import" variant="default">Import a report</Button>}>{why}</Empty>
        ) : (
          <Rows label={name} rows={rows} columns={columns} id={id} busy={found.isPlaceholderData} total={total} more={{ has: found.hasNextPage, loading: found.isFetchingNextPage, load: () => void found.fetchNextPage() }} />
        )}
        {found.isFetchingNextPage && <Loading rows={3} label="Loading more" />}
      </section>
    </div>
  );
}
