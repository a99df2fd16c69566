// Everything that is known to the world: search it by words, product, severity, use and date.
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconAdjustmentsHorizontal, IconRss, IconSearch } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { $api, base, type Schema } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing } from "../../ui/inert";
import { Chance, count, CVSS } from "../../ui/numbers";
import { Page } from "../../ui/page";
import { Pick, Picks } from "../../ui/pick";
import { Rows, type Column } from "../../ui/rows";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";
import { Decision, KEV, Severity } from "../../ui/words";
import { Age } from "./Age";
import "./catalogue.css";
import { Further } from "./Further";
import { anySet, cleared, furtherSet, newsOf, queryOf, repair, type Look } from "./search";
import { cveOf } from "./story";

type Brief = Schema<"CVEBrief">;

const columns: Column<Brief>[] = [
  {
    key: "id", name: "CVE", width: "142px",
    cell: (c) => <Link to="/catalogue/$id" params={{ id: c.id }} className="mono nowrap">{c.id}</Link>,
  },
  {
    key: "title", name: "What it is",
    cell: (c) => (
      <>
        <span className="rows-two"><Inert text={c.title} /></span>
        <span className="rows-second"><Severity value={c.severity} /><CVSS value={c.cvss} />{c.kev && <KEV />}<Decision value={c.decision} /><Day at={c.published} /></span>
      </>
    ),
  },
  { key: "severity", name: "Severity, CVSS", width: "136px", away: "small", cell: (c) => <span className="cat-pair"><Severity value={c.severity} /><CVSS value={c.cvss} /></span> },
  { key: "likelihood", name: "Likelihood", width: "112px", right: true, away: "small", sort: "likelihood", cell: (c) => <Chance value={c.likelihood} source={c.likelihood_source} /> },
  { key: "kev", name: "Exploited", width: "84px", away: "middle", cell: (c) => (c.kev ? <KEV /> : <span className="dim">{c.kev === false ? "no" : <Missing why="the KEV feed was never loaded" />}</span>) },
  { key: "decision", name: "Decision", width: "98px", away: "small", sort: "decision", cell: (c) => <Decision value={c.decision} /> },
  { key: "published", name: "Published", width: "108px", right: true, away: "middle", sort: "date", cell: (c) => <Day at={c.published} /> },
];

const severityWords = [["critical", "Critical"], ["high", "High"], ["medium", "Medium"], ["low", "Low"], ["unknown", "Not scored"]] as const;

function useResults(look: Look) {
  const query = queryOf(look);
  return $api.useInfiniteQuery(
    "get", "/api/v1/cves", { params: { query: { ...query, limit: 100 } } },
    { pageParamName: "cursor", initialPageParam: null as string | null, getNextPageParam: (page: Schema<"CVEList">) => page.next, placeholderData: keepPreviousData, staleTime: 60_000, refetchOnWindowFocus: false },
  );
}

/** Catalogue lists the CVEs that are asked for. */
export function Catalogue() {
  const [look, set] = useChosen(repair);
  const found = useResults(look);
  const navigate = useNavigate();
  const rows = found.data?.pages.flatMap((p) => p.items) ?? [];
  const note = found.data?.pages[0]?.note;
  return (
    <Page title="Catalogue" about={<Age />} actions={<Button component="a" variant="default" leftSection={<IconRss size={15} aria-hidden="true" />} href={new URL(newsOf(look, "rss"), base).href}>RSS of this</Button>}>
      <Filters look={look} set={set} />
      <section className="panel" aria-labelledby="cves">
        <h2 id="cves" className="sr">CVEs</h2>
        <div className="cat-count dim" role="status" aria-live="polite">
          {found.isPlaceholderData ? "Searching …" : found.data ? (found.hasNextPage ? `The first ${count(rows.length, "CVE")}; more come as you scroll` : count(rows.length, "CVE")) : ""}
          {note && <span> · <Inert text={note} /></span>}
        </div>
        {found.isPending ? <Loading rows={12} label="Searching" /> : found.isError && rows.length === 0 ? (
          <Failure error={found.error} what="the catalogue" retry={() => void found.refetch()} />
        ) : rows.length === 0 ? (
          <Nothing look={look} clear={() => set(cleared)} />
        ) : (
          <Rows
            label="CVEs" rows={rows} columns={columns} id={(c) => c.id} busy={found.isPlaceholderData} height={39} total={found.hasNextPage ? null : rows.length}
            open={(c) => void navigate({ to: "/catalogue/$id", params: { id: c.id } })}
            more={{ has: found.hasNextPage, loading: found.isFetchingNextPage, load: () => void found.fetchNextPage() }}
            sort={{ now: look.sort || (look.q.trim() ? "relevance" : "date"), set: (sort) => set({ sort: sort as Look["sort"] }) }}
          />
        )}
        {found.isFetchingNextPage && <Loading rows={3} label="Loading more" />}
      </section>
    </Page>
  );
}

type Set = (change: Partial<Look> | typeof cleared, how?: { replace?: boolean }) => void;

function Filters({ look, set }: { look: Look; set: Set }) {
  const [more, setMore] = useState(furtherSet(look) > 0);
  const n = furtherSet(look);
  return (
    <div className="cat-filters">
      <div className="cat-line">
        <Words look={look} set={set} />
        <Picks label="Severity" words={severityWords} on={look.severity as never} set={(severity: string[]) => set({ severity: severity as Look["severity"] })} />
        <div className="picks" role="group" aria-label="Use">
          <Pick on={look.kev} set={(kev) => set({ kev })} title="CISA lists it as known to be exploited">Exploited (KEV)</Pick>
          <Pick on={look.ransomware} set={(ransomware) => set({ ransomware })} title="CISA connects it with ransomware">Ransomware</Pick>
          <Pick on={look.exploit === "any"} set={(on) => set({ exploit: on ? "any" : "" })} title="there is a public exploit">Exploit public</Pick>
        </div>
        <Button variant={more || n ? "light" : "default"} size="compact-md" fz="sm" fw={500} aria-expanded={more} aria-controls="further" leftSection={<IconAdjustmentsHorizontal size={15} aria-hidden="true" />} onClick={() => setMore(!more)}>More filters{n > 0 ? ` (${n})` : ""}</Button>
        <Select
          aria-label="Order" className="cat-sort" size="sm" allowDeselect={false} value={look.sort || ""} onChange={(sort) => set({ sort: (sort ?? "") as Look["sort"] })}
          data={[{ value: "", label: look.q.trim() ? "Best match first" : "Newest first" }, ...(look.q.trim() ? [{ value: "date", label: "Newest first" }] : []), { value: "decision", label: "Most urgent first" }, { value: "likelihood", label: "Likeliest attacks first" }, { value: "score", label: "Highest priority score first" }]}
        />
        {anySet(look) && <Button variant="subtle" size="compact-md" fz="sm" fw={500} onClick={() => set(cleared)}>Clear</Button>}
      </div>
      {more && <Further look={look} set={set} />}
    </div>
  );
}

// What is typed stands in the field at once and in the address a moment later.
function Words({ look, set }: { look: Look; set: Set }) {
  const [text, setText] = useState(look.q);
  const later = useDebouncedCallback((q: string) => set({ q: q || undefined }, { replace: true }), 130);
  const navigate = useNavigate();
  useEffect(() => setText(look.q), [look.q]);
  const exact = cveOf(text);
  return (
    <TextInput
      className="cat-words" data-filter type="search" aria-label="Search CVEs" placeholder="Words, product or CVE number  ( / )" value={text} leftSection={<IconSearch size={16} aria-hidden="true" />} spellCheck={false} maxLength={500}
      onChange={(e) => { setText(e.currentTarget.value); later(e.currentTarget.value); }}
      onKeyDown={(e) => { if (e.key === "Enter" && exact) void navigate({ to: "/catalogue/$id", params: { id: exact } }); }}
    />
  );
}

function Nothing({ look, clear }: { look: Look; clear: () => void }) {
  const exact = cveOf(look.q);
  if (!anySet(look)) return <Empty title="The catalogue is empty" action={<Button component={Link} to="/threats" search={{ tab: "feeds" } as never} variant="default">To the feeds</Button>}>Load the feeds; NVD alone brings all CVEs.</Empty>;
  return (
    <Empty title="No CVE is like that" action={<div className="picks">{exact && <Button component={Link} to={`/catalogue/${exact}`} variant="default">Open {exact}</Button>}<Button variant="default" onClick={clear}>Clear the filters</Button></div>}>
      All words must occur in the title, the description or the products. What nobody has scored passes no CVSS or EPSS bound.
    </Empty>
  );
}
