// What people said of a finding, and what happened to it.
import { Button, Menu, Textarea } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useState } from "react";

import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { Day, When } from "../../ui/when";
import { Decision, KEV, Severity, State, wordOf } from "../../ui/words";
import type { Schema } from "../../api/client";
import { act } from "./act";
import { Place } from "./columns";
import { Section } from "./Detail";
import { titles, type Act } from "./kinds";
import type { Row } from "./reader";

/** Summary is a finding in one line of chips, and where it is. */
export function Summary({ row }: { row: Row }) {
  return (
    <>
      <p className="fi-summary">
        <Decision value={row.decision} forensics={row.forensics} />
        <Severity value={row.severity} />
        {row.kev && <KEV />}
        <State value={row.state} />
        {row.triage !== "none" && <State value={row.triage} />}
        {row.decision && row.decision !== "track" && (row.state === "open" || row.state === "reopened") && <Day at={row.due} due />}
      </p>
      <p className="dim">
        <Inert text={row.host} />, <Place row={row} />
      </p>
      <Said row={row} />
    </>
  );
}

function Said({ row }: { row: Row }) {
  const words = row.triage !== "none" || row.assignee || row.labels.length > 0;
  if (!words) return null;
  return (
    <p className="fi-said">
      {row.triage !== "none" && (
        <>
          {wordOf(row.triage)}
          {row.triage_until && <> until <Day at={row.triage_until.slice(0, 10)} /></>}
          {row.triage_by && <> by <Inert text={row.triage_by} /></>}
          {row.triage_reason && <>: <Inert text={row.triage_reason} /></>}.{" "}
        </>
      )}
      {row.assignee && <>With <Inert text={row.assignee} />. </>}
      {row.labels.length > 0 && <>Labels: <Inert text={row.labels.join(", ")} />.</>}
    </p>
  );
}

const more: Act[] = ["out_of_scope", "assign", "label", "close"];

/** Acts are what can be done with one finding. */
export function Acts({ row, start }: { row: Row; start: (what: Act) => void }) {
  if (!useMay("analyst")) return null;
  return (
    <div className="fi-acts">
      {row.triage === "none" ? (
        <>
          <Button size="compact-sm" onClick={() => start("confirmed")} title="c">Confirm</Button>
          <Button size="compact-sm" variant="default" onClick={() => start("accepted")} title="a">Accept risk …</Button>
          <Button size="compact-sm" variant="default" onClick={() => start("false_positive")} title="f">False positive …</Button>
        </>
      ) : (
        <>
          <Button size="compact-sm" variant="default" onClick={() => start("none")} title="u">Take the triage back</Button>
          {row.triage === "confirmed" && <Button size="compact-sm" variant="default" onClick={() => start("accepted")} title="a">Accept risk …</Button>}
        </>
      )}
      <Menu shadow="md" position="bottom-end">
        <Menu.Target><Button size="compact-sm" variant="default" rightSection={<IconChevronDown size={13} aria-hidden="true" />}>More</Button></Menu.Target>
        <Menu.Dropdown>{more.map((what) => <Menu.Item key={what} onClick={() => start(what)}>{titles[what]} …</Menu.Item>)}</Menu.Dropdown>
      </Menu>
    </div>
  );
}

type Line = Schema<"HistoryLine">;

/** History is what happened, newest first, and a place to add to it. */
export function History({ row, lines }: { row: Row; lines: Line[] }) {
  return (
    <Section title="History">
      <Comment row={row} />
      <ol className="fi-history">
        {[...lines].reverse().map((h, i) => (
          <li key={i}>
            <span><Told line={h} /></span>
            <span className="dim"><When at={h.at} /></span>
            {h.note && <p className={h.what === "comment" ? undefined : "dim"}><Inert text={h.note} /></p>}
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Told({ line: h }: { line: Line }) {
  const by = h.by ? <Inert text={h.by === "scan" ? "A scan" : h.rule ? `Rule ${h.rule}` : h.by} /> : "Somebody";
  if (h.what === "comment") return <><b>{by}</b> wrote</>;
  if (h.what === "state") return h.from ? <>{wordOf(h.from)} → <b>{wordOf(h.to ?? "")}</b> by {by}</> : <><b>Found</b> by {by}</>;
  const to = h.to ? (h.what === "triage" ? wordOf(h.to) : h.to) : "nothing";
  const from = h.from && h.from !== "none" ? (h.what === "triage" ? wordOf(h.from) : h.from) : null;
  return <><b>{by}</b> set {wordOf(h.what).toLowerCase()}{from && <> from <Inert text={from} /></>} to <b><Inert text={to} /></b></>;
}

function Comment({ row }: { row: Row }) {
  const may = useMay("analyst");
  const [text, setText] = useState("");
  if (!may) return null;
  const send = () => {
    if (text.trim() === "") return;
    void act({ do: "comment", comment: text.trim() }, { rows: [row] });
    setText("");
  };
  return (
    <div className="fi-comment">
      <Textarea aria-label="Comment" placeholder="Add what you know" autosize minRows={1} maxRows={8} maxLength={16384} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); send(); } }} />
      {text.trim() !== "" && <Button size="compact-sm" onClick={send}>Comment</Button>}
    </div>
  );
}
