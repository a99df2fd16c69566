// One finding as a page of its own: what the panel shows, for links and for printing.
import "./findings.css";

import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import { $api } from "../../api/client";
import { Page } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { act } from "./act";
import { nameOf } from "./columns";
import { Detail, type Vulnerability } from "./Detail";
import type { Act } from "./kinds";
import { Acts, History, Summary } from "./Story";

const Forms = lazy(() => import("./Forms").then((m) => ({ default: m.Forms })));

/** FindingPage is at /findings/$id. */
export function FindingPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const list = <Button component={Link} to="/findings" variant="default">All findings</Button>;
  if (!/^[1-9]\d{0,15}$/.test(id)) return <Page title="Finding"><Empty title="There is no such finding" action={list}>Findings are called by their numbers.</Empty></Page>;
  return <Known id={Number(id)} />;
}

function Known({ id }: { id: number }) {
  const { data, isError, error, refetch } = $api.useQuery("get", "/api/v1/vulnerabilities/{id}/details", { params: { path: { id } } });
  if (!data) return <Page title={`Finding ${id}`}>{isError ? <Failure error={error} what="the finding" retry={() => void refetch()} /> : <Loading rows={14} />}</Page>;
  return <Whole v={data} />;
}

function Whole({ v }: { v: Vulnerability }) {
  const [form, setForm] = useState<Act | null>(null);
  const start = (what: Act) => {
    if (what === "confirmed" || what === "none") void act({ do: "triage", state: what }, { rows: [v] });
    else setForm(what);
  };
  return (
    <Page title={nameOf(v)} actions={<Button component={Link} to="/findings" search={{ open: v.id } as never} variant="default">In the list</Button>}>
      <div className="fi-one">
        <div className="fi-one-head">
          <Summary row={v} />
          <Acts row={v} start={start} />
        </div>
        <Detail v={v} />
        <History row={v} lines={v.history ?? []} />
      </div>
      {form && <Suspense><Forms what={form} target={{ rows: [v] }} close={() => setForm(null)} finish={() => setForm(null)} /></Suspense>}
    </Page>
  );
}
