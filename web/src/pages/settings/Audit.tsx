// The audit trail: who did what, from where, and how it went.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { $api, type Schema } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { outcomes, repairAudit } from "./search";

type Chosen = ReturnType<typeof repairAudit>;

const nothing = { who: "", action: "", subject: "", from: "", outcome: "", since: "", until: "", after: "" } as const;

export function Audit() {
  const [chosen, choose] = useChosen(repairAudit);
  const { after, ...filter } = chosen;
  const filtered = Object.values(filter).some((v) => v !== "");
  const query = Object.fromEntries(Object.entries(filter).filter(([, v]) => v !== "")) as Partial<Omit<Chosen, "after" | "outcome">> & { outcome?: "ok" };
  const list = $api.useQuery("get", "/api/v1/audit", { params: { query: { ...query, cursor: after || undefined, limit: 100 } } }, { placeholderData: keepPreviousData });
  return (
    <Panel title="Newest first" flush>
      <div className="settings-filters" role="search" aria-label="Audit trail">
        <Words label="Who" placeholder="anna" value={chosen.who} set={(who) => choose({ who, after: "" }, { replace: true })} />
        <Words label="Action" placeholder="user. or scan.start" value={chosen.action} set={(action) => choose({ action, after: "" }, { replace: true })} />
        <Words label="Of what" placeholder="scan 7" value={chosen.subject} set={(subject) => choose({ subject, after: "" }, { replace: true })} />
        <Words label="From" placeholder="192.0.2.7" value={chosen.from} set={(from) => choose({ from, after: "" }, { replace: true })} />
        <NativeSelect label="Outcome" size="xs" value={chosen.outcome} onChange={(e) => choose({ outcome: e.currentTarget.value as Chosen["outcome"], after: "" })} data={outcomes.map((o) => ({ value: o, label: o || "Any" }))} />
        <TextInput type="date" size="xs" label="Since" value={chosen.since} onChange={(e) => choose({ since: e.currentTarget.value, after: "" })} />
        <TextInput type="date" size="xs" label="Until" value={chosen.until} onChange={(e) => choose({ until: e.currentTarget.value, after: "" })} />
        {filtered && <Button size="xs" variant="default" onClick={() => choose(nothing)}>Clear</Button>}
      </div>
      {list.isError && !list.data ? <Failure error={list.error} what="the audit trail" retry={() => void list.refetch()} /> : !list.data ? <Loading rows={10} label="Loading the audit trail" /> : list.data.entries.length === 0 ? (
        <Empty title={filtered ? "Nothing like that was recorded" : "Nothing was recorded yet"} action={filtered ? <Button variant="default" onClick={() => choose(nothing)}>Clear the filters</Button> : undefined}>Entries are kept for 400 days. Reading is not recorded.</Empty>
      ) : (
        <>
          <Table entries={list.data.entries} dimmed={list.isPlaceholderData} only={(part) => choose({ ...part, after: "" })} />
          <nav className="settings-pages" aria-label="Pages of the audit trail">
            <Button variant="default" size="xs" disabled={!after} onClick={() => choose({ after: "" })}>Newest</Button>
            <Button variant="default" size="xs" disabled={!list.data.next} onClick={() => choose({ after: list.data.next ?? "" })}>Older</Button>
          </nav>
        </>
      )}
    </Panel>
  );
}

/** Words is a field whose text goes into the address when the typing rests. */
function Words({ label, placeholder, value, set }: { label: string; placeholder: string; value: string; set: (text: string) => void }) {
  const [text, setText] = useState(value);
  const said = useRef(value);
  const later = useDebouncedCallback((t: string) => set((said.current = t)), 300);
  useEffect(() => {
    if (value !== said.current) setText((said.current = value));
  }, [value]);
  return <TextInput size="xs" label={label} placeholder={placeholder} value={text} onChange={(e) => { setText(e.currentTarget.value); later(e.currentTarget.value.trim()); }} spellCheck={false} autoComplete="off" />;
}

function Table({ entries, dimmed, only }: { entries: Schema<"AuditEntry">[]; dimmed: boolean; only: (part: Partial<Chosen>) => void }) {
  return (
    <table className="table" style={dimmed ? { opacity: 0.55 } : undefined} aria-busy={dimmed}>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">Did</th>
          <th scope="col" className="wide-only">Details</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((e) => (
          <tr key={e.id}>
            <td><When at={e.at} /></td>
            <td><button type="button" className="settings-link" onClick={() => only({ who: e.who })} title="only this one"><Inert text={e.who} /></button>{(e.from || e.token_id !== null) && <div className="settings-sub">{e.from && <>from <Inert text={e.from} /></>}{e.token_id !== null && ` by token ${e.token_id}`}</div>}</td>
            <td><button type="button" className="settings-link" onClick={() => only({ action: e.action })} title="only this action"><Inert text={e.action} mono /></button>{e.subject && <div className="settings-sub"><Inert text={e.subject} /></div>}</td>
            <td className="wide-only">{e.detail ? <Inert text={e.detail} /> : <Missing why="no details" />}</td>
            <td><Chip tone={e.outcome === "ok" ? "good" : e.outcome === "denied" ? "medium" : "high"}>{e.outcome === "ok" ? "Done" : e.outcome === "denied" ? "Denied" : "Failed"}</Chip></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
