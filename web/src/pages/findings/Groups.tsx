// Findings by what they have in common. Ten thousand hosts are ten thousand groups: only those that are seen are drawn.
import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import { $api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";
import { Decision, KEV } from "../../ui/words";
import type { Schema } from "../../api/client";
import type { Filter } from "./fields";
import type { Grouping } from "./search";

type Group = Schema<"Group">;

const nobody: Record<Grouping, string> = { remedy: "Nobody says what to do", host: "No host", cve: "Without a CVE", product: "No product is known", site: "No site", owner: "No owner", assignee: "Assigned to nobody" };
const plural: Record<Grouping, [string, string?]> = { remedy: ["thing to do", "things to do"], host: ["host"], cve: ["CVE"], product: ["product"], site: ["site"], owner: ["owner"], assignee: ["person", "people"] };

/** Groups lists them, the most urgent first; into opens the findings of one. */
export function Groups({ by, filter, into }: { by: Grouping; filter: Filter; into: (key: string | null, by: Grouping) => void }) {
  const list = $api.useInfiniteQuery("get", "/api/v1/findings/groups", { params: { query: { ...filter, by, limit: 100 } } }, {
    pageParamName: "cursor", initialPageParam: "", getNextPageParam: (page: Schema<"GroupList">) => page.next ?? undefined,
  });
  const groups = list.data?.pages.flatMap((p) => p.groups) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: groups.length, getScrollElement: () => scroller.current, estimateSize: () => 54, overscan: 8 });
  const items = rows.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last > groups.length - 30) void fetchNextPage();
  }, [last, groups.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (list.isError && groups.length === 0) return <Failure error={list.error} what="the groups" retry={() => void list.refetch()} />;
  if (!list.data) return <Loading rows={10} />;
  if (groups.length === 0) return <Empty title="No finding fits these filters">Take a filter off, or look wider.</Empty>;
  return (
    <div className="fi-groups" ref={scroller}>
      <p className="fi-groups-head dim" role="status">{count(total, ...plural[by])}, the most urgent first</p>
      <ul style={{ height: rows.getTotalSize() }} aria-label="Groups">
        {items.map((item) => <Line key={item.key} group={groups[item.index]!} by={by} top={item.start} at={item.index + 1} of={total} into={into} />)}
      </ul>
      {list.isFetchNextPageError && <p className="fi-trouble" role="alert">The rest did not come. <Button variant="subtle" size="compact-sm" onClick={() => void fetchNextPage()}>Try again</Button></p>}
    </div>
  );
}

function Line({ group: g, by, top, at, of, into }: { group: Group; by: Grouping; top: number; at: number; of: number; into: (key: string | null, by: Grouping) => void }) {
  const name = by === "remedy" ? (g.action ?? g.name) : g.name;
  const reach = [by !== "host" && count(g.hosts, "host"), by !== "cve" && g.cves > 0 && count(g.cves, "CVE")].filter(Boolean).join(", ");
  const goes = g.key !== null || by === "owner" || by === "assignee";
  const Box = goes ? "button" : "div";
  return (
    <li style={{ position: "absolute", top: 0, left: 0, right: 0, height: 54, transform: `translateY(${top}px)` }} aria-posinset={at} aria-setsize={of}>
      <Box {...(goes ? { type: "button" as const, onClick: () => into(g.key, by) } : {})} className="fi-group" title={goes ? "Show its findings" : undefined}>
        <span className="fi-group-mark"><Decision value={g.decision} /></span>
        <span className="fi-group-name">
          <span className="cut">{name ? <Inert text={by === "remedy" ? name.charAt(0).toUpperCase() + name.slice(1) : name} /> : <span className="dim">{nobody[by]}</span>}</span>
          <span className="dim">{reach}</span>
        </span>
        {g.kev > 0 && <span className="fi-group-kev" title={`${count(g.kev, "finding")} known to be exploited`}><KEV /></span>}
        <span className="fi-group-due"><Day at={g.due} due /></span>
        <b className="num fi-group-n">{count(g.findings, "finding")}</b>
      </Box>
    </li>
  );
}
