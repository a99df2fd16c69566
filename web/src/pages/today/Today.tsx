// The front door: what to act on now. One request brings all of it; the trend loads when it is scrolled to.
import { Button, Skeleton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay, useMe } from "../../api/session";
import { useNear } from "../../ui/near";
import { Page } from "../../ui/page";
import { Failure } from "../../ui/states";
import { Actions } from "./Actions";
import { Changes } from "./Changes";
import { DueSoon } from "./DueSoon";
import { Exploited } from "./Exploited";
import { Feeds } from "./Feeds";
import { Decisions, Headline } from "./Head";
import "./today.css";
import { PathsFirst } from "./PathsFirst";
import { keep, read, sinceOf } from "./visit";

const Begin = lazy(() => import("./Begin").then((m) => ({ default: m.Begin })));
const Trend = lazy(() => import("./Trend").then((m) => ({ default: m.Trend })));

export function Today() {
  const today = useToday();
  const data = today.data;
  if (!data) return <Page title="Today" about={<Calendar />}>{today.isError ? <Failure error={today.error} what="what to act on" retry={() => void today.refetch()} /> : <Skeletons />}</Page>;
  const begins = !data.first.scans && !data.first.imports;
  return (
    <Page title="Today" about={<Calendar />} actions={begins ? undefined : <Does />}>
      {begins ? <Suspense fallback={<Skeletons />}><Begin today={data} again={() => void today.refetch()} /></Suspense> : <Full today={data} />}
    </Page>
  );
}

/** useToday asks for everything at once, since the visit before this one, and keeps that it was seen. */
function useToday() {
  const me = useMe();
  const key = `patchscout-visit-${me.user_id ?? "anybody"}`;
  const [since] = useState(() => sinceOf(read(localStorage, key), !me.auth_off));
  const today = $api.useQuery("get", "/api/v1/today", { params: { query: since ? { since } : {} } }, { refetchInterval: 60_000 });
  const told = today.data?.since;
  useEffect(() => {
    if (told === undefined) return;
    keep(localStorage, key, told);
    if (!me.auth_off) api.POST("/api/v1/today/visit").catch(() => {}); // the next visit then counts from an earlier one
    const again = () => keep(localStorage, key, told);
    window.addEventListener("pagehide", again);
    return () => {
      window.removeEventListener("pagehide", again);
      again();
    };
  }, [told, key, me.auth_off]);
  return today;
}

const long = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

function Calendar() {
  return <>{long.format(new Date())}</>;
}

function Does() {
  const may = useMay("analyst");
  if (!may) return null;
  return (
    <>
      <Button component={Link} to="/import" variant="default">Import reports</Button>
      <Button component={Link} to="/scans" search={{ start: true } as never}>Start a scan</Button>
    </>
  );
}

function Full({ today }: { today: Schema<"Today"> }) {
  return (
    <>
      <Headline today={today} />
      <Decisions today={today} />
      <div className="today-columns">
        <div className="today-left">
          <Actions groups={today.actions} />
          <PathsFirst />
          <Below />
        </div>
        <div className="today-side">
          <Changes today={today} />
          <Exploited cves={today.newly_exploited} known={today.kev_known} />
          <DueSoon today={today} />
          <Feeds feeds={today.feeds} />
        </div>
      </div>
    </>
  );
}

/** Below is the trend, which neither asks nor loads anything before it comes near the window. */
function Below() {
  const place = useRef<HTMLDivElement>(null);
  const near = useNear(place);
  return <div ref={place} className="today-trend">{near && <Suspense fallback={<Skeleton height={340} />}><Trend /></Suspense>}</div>;
}

/** Skeletons have the shape of the page, so that nothing jumps when it comes. */
function Skeletons() {
  return (
    <div role="status" aria-label="Loading" aria-busy="true" style={{ display: "contents" }}>
      <Skeleton height={28} width="min(620px, 92%)" />
      <Skeleton height={84} />
      <div className="today-columns"><Skeleton height={420} /><Skeleton height={420} /></div>
    </div>
  );
}
