// The organisation's own terms: within how many days a finding is to be dealt with.
import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Decision, Severity } from "../../ui/words";
import { useAct } from "./act";
import { bodyOf, fileOf, kinds, termOf, typedOf, wrongIn } from "./sla";

type Terms = Schema<"SLA">;

const path = "/api/v1/settings/sla";

export function SLA() {
  const admin = useMay("admin");
  const terms = $api.useQuery("get", path);
  const [job, setJob] = useState<number | null>(null);
  if (terms.isError && !terms.data) return <Failure error={terms.error} what="the terms" retry={() => void terms.refetch()} />;
  if (!terms.data) return <Panel title="Terms"><Loading rows={9} label="Loading the terms" /></Panel>;
  // What somebody else sets meanwhile begins the fields anew.
  return (
    <>
      {job !== null && <Again job={job} />}
      <Fields key={terms.data.changed_at ?? "file"} terms={terms.data} admin={admin} began={setJob} />
    </>
  );
}

function Fields({ terms, admin, began }: { terms: Terms; admin: boolean; began: (job: number | null) => void }) {
  const { act, busy } = useAct();
  const before = typedOf(terms);
  const [typed, setTyped] = useState(before);
  const changed = Object.keys(typed).some((k) => typed[k] !== before[k]);
  const wrong = Object.values(typed).some((v) => wrongIn(v) !== null);
  const put = async (t: typeof typed) => began((await api.PUT(path, { body: bodyOf(t) })).data!.job_id);
  const save = (e: React.FormEvent) => {
    e.preventDefault();
    void act(() => put(typed), { done: "The terms were set. A job works out all due days anew.", failed: "The terms were not set", stale: [path, "/api/v1/findings", "/api/v1/today", "/api/v1/jobs"], undo: () => put(before) });
  };
  return (
    <form onSubmit={save} className="settings-form">
      {kinds.map(({ kind, name, words }) => (
        <Panel key={kind} title={name} flush>
          <table className="table settings-terms">
            <thead>
              <tr>
                <th scope="col">{kind === "decision" ? "Decision" : "Severity"}</th>
                <th scope="col">In force</th>
                <th scope="col" className="wide-only">Configuration file</th>
                {admin && <th scope="col">Days, set here</th>}
              </tr>
            </thead>
            <tbody>
              {words.map((word) => {
                const field = `${kind}.${word}`;
                const now = (terms[kind] as Record<string, number>)[word] ?? 0;
                return (
                  <tr key={word}>
                    <th scope="row">{kind === "decision" ? <Decision value={word} /> : <Severity value={word} />}</th>
                    <td className="num">{termOf(now)}</td>
                    <td className="num dim wide-only">{termOf(fileOf(terms, kind, word))}</td>
                    {admin && <td><TextInput size="xs" w={112} inputMode="numeric" aria-label={`Days for ${word}`} placeholder="as in the file" value={typed[field] ?? ""} onChange={(e) => setTyped({ ...typed, [field]: e.currentTarget.value.trim() })} error={wrongIn(typed[field] ?? "")} /></td>}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Panel>
      ))}
      <p className="dim">
        Counted from the later of the day on which a finding was first seen and the day on which its decision arose; of several terms the earliest applies. 0 sets none, an empty field leaves it to the configuration file. CISA's due day stands beside it.
        {terms.source === "settings" && <> Set {terms.by && <>by <Inert text={terms.by} /> </>}<When at={terms.changed_at} />.</>}
      </p>
      {admin ? (
        <div className="settings-buttons">
          <Button variant="default" disabled={!changed || busy} onClick={() => setTyped(before)}>Put back</Button>
          <Button type="submit" loading={busy} disabled={!changed || wrong}>Set the terms</Button>
        </div>
      ) : <p className="dim">Administrators set the terms.</p>}
    </form>
  );
}

/** Again says how far the work is that a change made. */
function Again({ job }: { job: number }) {
  const { data } = $api.useQuery("get", "/api/v1/jobs/{id}", { params: { path: { id: job } } }, { refetchInterval: (q) => (q.state.data && q.state.data.finished_at === null ? 1_500 : false), retry: false });
  if (!data || data.finished_at !== null) return null;
  return <p role="status">Due days are being worked out: {Math.round(data.percent)} %. <Link to="/settings/$section" params={{ section: "jobs" }} search={{ job: String(job) }}>Job {job}</Link></p>;
}
