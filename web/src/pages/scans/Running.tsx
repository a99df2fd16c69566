// Where a scan stands while it runs.
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import { useEffect, useState, type ReactNode } from "react";

import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { took } from "../../ui/when";
import { State } from "../../ui/words";
import type { Heard, Line, Status } from "./live";
import { left, seconds, stateOf } from "./words";

/** useSecond draws again each second, while something runs. */
function useSecond() {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

export function Running({ scan, heard }: { scan: Status; heard: Heard }) {
  useSecond();
  const percent = heard.progress?.percent ?? scan.progress;
  const stage = heard.progress?.stage || scan.stage;
  const tasks = heard.progress?.tasks ?? scan.tasks;
  const eta = left(heard.progress ? heard.progress.eta_s : scan.eta_s);
  const state = stateOf(scan);
  const runs = seconds(scan);
  return (
    <section className="panel run" aria-label="Progress">
      <div className="run-head">
        <span className="run-percent num">{Math.floor(percent)} %</span>
        <State value={state} />
        <span className="run-stage cut">{state === "pending" ? "It begins as soon as a place is free." : state === "paused" ? "Nothing runs until it is continued." : stage ? <Inert text={stage} /> : "It begins."}</span>
        <span className="dim nowrap">{state === "running" ? (eta ?? "time left not known yet") : ""}</span>
      </div>
      <div className="meter" style={{ height: 8, marginTop: 0 }} role="progressbar" aria-label="Progress of the scan" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.floor(percent)}>
        <span style={{ width: `${percent}%` }} />
      </div>
      <dl className="figures">
        {tasks.total > 0 && <Figure name={`of ${count(tasks.total, "task")} done`} value={tasks.done.toLocaleString()} />}
        <Figure name={scan.hosts === 1 ? "host answered" : "hosts answered"} value={Math.max(scan.hosts, heard.hosts.length).toLocaleString()} />
        <Figure name={heard.services.length === 1 ? "service" : "services"} value={heard.services.length.toLocaleString()} />
        <Figure name={heard.findings.length === 1 ? "finding" : "findings"} value={Math.max(scan.findings, heard.findings.length).toLocaleString()} />
        {runs !== null && <Figure name="so far" value={took(Math.round(runs))} />}
      </dl>
    </section>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => <div><dt>{name}</dt><dd>{value}</dd></div>;

const broken: Partial<Record<Line, { kind: string; says: ReactNode }>> = {
  waiting: { kind: "", says: "The connection broke. It is tried again by itself; the scan goes on." },
  polling: { kind: "info", says: "No live connection can be had here. The page asks every three seconds how far the scan is; findings and hosts stand in their lists." },
  out: { kind: "bad", says: "You are not signed in any more, or may not watch this scan any more. The scan goes on." },
  gone: { kind: "bad", says: "This scan was removed while you watched it." },
};

/** Broken says how we hear of the scan when it is not as it should be. */
export function Broken({ line }: { line: Line }) {
  const b = broken[line];
  if (!b) return null;
  return <div className="note" data-kind={b.kind} role="status">{b.kind === "info" ? <IconInfoCircle size={16} aria-hidden="true" /> : <IconAlertTriangle size={16} aria-hidden="true" />}<span>{b.says}</span></div>;
}

/** Told says to screen readers what changed, at most every ten seconds but for the end. */
export function Told({ text, ended }: { text: string; ended: boolean }) {
  const [said, say] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (text === said) return;
    const timer = setTimeout(() => { say(text); setAt(Date.now()); }, ended ? 0 : Math.max(300, at + 10_000 - Date.now()));
    return () => clearTimeout(timer);
  }, [text, said, at, ended]);
  return <div className="sr" role="status" aria-live="polite">{said}</div>;
}
