// Looking up many pasted indicators at once, and whether they are hosts of one's own.
import { Button, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { IndicatorName, kinds, Says, Source } from "./Indicators";
import { hostOf, isOf, most, sortedOut, valuesIn } from "./indicators";

type Answer = Schema<"IndicatorAnswer">;

/** Lookup keeps a short question in the address, so that it can be sent to somebody. */
export function Lookup({ kept, keep }: { kept: string; keep: (text: string) => void }) {
  const [text, setText] = useState(kept.replaceAll(" ", "\n"));
  const [asked, setAsked] = useState(() => valuesIn(kept));
  useEffect(() => {
    if (kept && asked.length === 0) setAsked(valuesIn(kept));
  }, [kept, asked.length]);
  const values = valuesIn(text);
  const ask = (e: React.FormEvent) => {
    e.preventDefault();
    setAsked(values);
    const short = values.join(" ");
    keep(short.length <= 1500 ? short : "");
  };
  const clear = () => {
    setText("");
    setAsked([]);
    keep("");
  };
  return (
    <Panel title="Look up">
      <form onSubmit={ask} className="threats-stack">
        <Textarea
          label="Addresses, domains, URLs or hashes" description="Paste as many as you like, also as they are made harmless for mails. They are compared on this server and sent nowhere."
          autosize minRows={3} maxRows={12} value={text} onChange={(e) => setText(e.currentTarget.value)} placeholder={"203.0.113.9\nhxxp://evil[.]example/a.exe"} spellCheck={false} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.8125rem" } }}
          error={values.length > most ? `${count(values.length, "value")}: at most ${most.toLocaleString()} at once` : undefined}
        />
        <div className="threats-filters">
          <Button type="submit" disabled={values.length === 0 || values.length > most}>Look up{values.length > 0 ? ` ${count(values.length, "value")}` : ""}</Button>
          {(text || asked.length > 0) && <Button variant="default" onClick={clear}>Clear</Button>}
        </div>
      </form>
      {asked.length > 0 && <Answers values={asked} />}
    </Panel>
  );
}

/** atOnce is how many the server takes in one request. */
const atOnce = 1000;

async function lookUp(values: string[], signal: AbortSignal): Promise<Schema<"IndicatorAnswers">> {
  const all: Schema<"IndicatorAnswers"> = { answers: [], note: null };
  for (let i = 0; i < values.length; i += atOnce) {
    const { data } = await api.POST("/api/v1/iocs/lookup", { body: { values: values.slice(i, i + atOnce) }, signal });
    all.answers.push(...data!.answers);
    all.note = data!.note;
  }
  return all;
}

function Answers({ values }: { values: string[] }) {
  const found = useQuery({
    queryKey: ["threats", "lookup", values],
    gcTime: 0,
    staleTime: Infinity,
    queryFn: ({ signal }) => lookUp(values, signal),
  });
  if (found.isError) return <Failure error={found.error} what="the answers" retry={() => void found.refetch()} />;
  if (!found.data) return <Loading rows={3} label={`Looking up ${count(values.length, "value")}`} />;
  const s = sortedOut(found.data.answers);
  const shown = [...s.found, ...s.expired, ...s.refused];
  return (
    <div className="threats-stack" aria-live="polite">
      <p className="threats-answer">
        <strong>{s.found.length === 0 ? "None is listed now" : `${s.found.length.toLocaleString()} of ${count(found.data.answers.length, "value")} listed`}</strong>
        <span className="dim">{[s.expired.length && `${s.expired.length.toLocaleString()} expired`, s.unknown.length && `${s.unknown.length.toLocaleString()} on no list`, s.refused.length && `${s.refused.length.toLocaleString()} not understood`].filter(Boolean).map((w) => `, ${w}`).join("")}.</span>
        {found.data.note && <span className="dim"> <Inert text={found.data.note} /></span>}
      </p>
      {shown.length > 0 ? <Table answers={shown.slice(0, 200)} more={shown.length - 200} /> : <Empty title="On no list that was loaded">That is no proof that they are harmless.</Empty>}
    </div>
  );
}

function Table({ answers, more }: { answers: Answer[]; more: number }) {
  return (
    <>
      <table className="table threats-table">
        <thead>
          <tr>
            <th scope="col">You asked</th>
            <th scope="col">Answer</th>
            <th scope="col">Your hosts</th>
            <th scope="col" className="wide-only">Last seen</th>
            <th scope="col" className="wide-only">Source</th>
          </tr>
        </thead>
        <tbody>{answers.map((a) => <Row key={a.value} a={a} />)}</tbody>
      </table>
      {more > 0 && <p className="dim">{count(more, "answer")} more; look up fewer at once to see them.</p>}
    </>
  );
}

function Row({ a }: { a: Answer }) {
  const listed = [...a.indicators, ...a.urls];
  const best = listed.find((i) => !i.expired) ?? listed[0];
  return (
    <tr>
      <th scope="row" className="threats-value"><Inert text={a.value} mono />{a.kind && <span className="dim"> {kinds[a.kind] ?? a.kind}</span>}</th>
      <td>
        {a.error ? <span className="dim"><Inert text={a.error} /></span> : <Chip tone={best && !best.expired ? "critical" : "info"}>{best && !best.expired ? "Listed" : "Expired"}</Chip>} {best && <Says i={best} said />}
        {listed.length > 1 && <details><summary>{count(listed.length, "entry", "entries")}</summary>{listed.map((i, n) => <div key={n}><IndicatorName i={i} /> <Source i={i} /></div>)}</details>}
      </td>
      <td><Own what={hostOf(a.kind, a.canonical)} /></td>
      <td className="wide-only"><When at={best?.last_seen} /></td>
      <td className="wide-only">{best ? <Source i={best} /> : <Missing why="on no list" />}</td>
    </tr>
  );
}

/** Own names the hosts of one's own that an indicator speaks of. */
function Own({ what }: { what: string | null }) {
  const { data, isError } = $api.useQuery("get", "/api/v1/assets", { params: { query: { search: what ?? "", limit: 20 } } }, { enabled: !!what, staleTime: 60_000 });
  if (!what) return <Missing why="it speaks of no host" />;
  if (isError) return <Missing why="could not be asked" />;
  if (!data) return <span className="threats-wait" />;
  const own = data.hosts.filter((h) => isOf(h, what));
  if (own.length === 0) return <span className="dim">none</span>;
  return <>{own.map((h) => <div key={h.id}><Link to="/assets/$id" params={{ id: String(h.id) }}><Inert text={h.address ?? h.hostnames[0] ?? String(h.id)} /></Link> <span className="dim">{h.site}</span></div>)}</>;
}
