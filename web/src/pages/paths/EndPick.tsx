// Where paths begin and end: a word that opens what there is to choose from.
import { Popover, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { $api } from "../../api/client";
import { Inert } from "../../ui/inert";
import type { Paths } from "./kinds";
import { EntryNames } from "./Scenario";
import { refWord } from "./words";

type Props = { doc: Paths; value: string[]; set: (value: string[]) => void };

function Opens({ label, shown, children }: { label: string; shown: ReactNode; children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" width={300} trapFocus returnFocus withinPortal>
      <Popover.Target>
        <button type="button" className="pa-word" onClick={() => setOpen(!open)}><span className="sr">{label}: </span>{shown}<IconChevronDown size={13} aria-hidden="true" /></button>
      </Popover.Target>
      <Popover.Dropdown p={6} aria-label={label}>{children(() => setOpen(false))}</Popover.Dropdown>
    </Popover>
  );
}

function Choice({ on, choose, children }: { on: boolean; choose: () => void; children: ReactNode }) {
  return <button type="button" className="pa-choice" aria-pressed={on} onClick={choose}><span>{children}</span>{on && <IconCheck size={14} aria-hidden="true" />}</button>;
}

/** FromPick chooses where an attacker begins. */
export function FromPick({ doc, value, set }: Props) {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const named = (ref: string) => doc.scenario.entries.find((e) => e.ref === ref)?.name ?? refWord(ref);
  const shown = value.length === 0 ? <EntryNames doc={doc} /> : <Inert text={value.map(named).join(" and ")} />;
  return (
    <Opens label="Where the attacker begins" shown={shown}>
      {(close) => {
        const one = (ref: string) => () => { set([ref]); close(); };
        return (
          <>
            <Choice on={value.length === 0} choose={() => { set([]); close(); }}>As usual <span className="dim">the internet; where it reaches nothing, each site</span></Choice>
            <Choice on={value.includes("internet")} choose={one("internet")}>The internet</Choice>
            {(sites.data?.sites ?? []).slice(0, 40).map((s) => <Choice key={s.name} on={value.includes(`site:${s.name}`)} choose={one(`site:${s.name}`)}>Inside <Inert text={s.name} /></Choice>)}
            <HostSearch label="On a host" choose={(id) => { set([`host:${id}`]); close(); }} />
            <HostSearch label="With a stolen login of a host" choose={(id) => { set([`user:${id}`]); close(); }} />
          </>
        );
      }}
    </Opens>
  );
}

/** ToPick chooses what an attacker is after. */
export function ToPick({ doc, value, set }: Props) {
  const named = (id: string) => doc.jewels.find((j) => String(j.id) === id)?.name ?? `host ${id}`;
  const jewels = doc.jewels.some((j) => j.jewel);
  return (
    <Opens label="What the attacker is after" shown={value.length === 0 ? (jewels ? "all jewels" : "what matters most") : <Inert text={value.map(named).join(", ")} />}>
      {(close) => (
        <>
          <Choice on={value.length === 0} choose={() => { set([]); close(); }}>{jewels ? "All jewels" : "What matters most"}</Choice>
          {doc.jewels.slice(0, 30).map((j) => <Choice key={j.id} on={value.includes(String(j.id))} choose={() => { set([String(j.id)]); close(); }}><Inert text={j.name} /> <span className="dim">{j.site}</span></Choice>)}
          <HostSearch label="Another host" choose={(id) => { set([String(id)]); close(); }} />
        </>
      )}
    </Opens>
  );
}

/** HostSearch finds a host by a part of its address or name. */
export function HostSearch({ label, choose }: { label: string; choose: (id: number) => void }) {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text.trim(), 150);
  const found = $api.useQuery("get", "/api/v1/assets", { params: { query: { search: asked, limit: 6 } } }, { enabled: asked.length >= 2 });
  const hosts = asked.length >= 2 && text.trim().length >= 2 ? (found.data?.hosts ?? []) : [];
  return (
    <div className="pa-hosts">
      <TextInput size="xs" label={label} placeholder="a part of its address or name" value={text} onChange={(e) => setText(e.currentTarget.value)} autoComplete="off" maxLength={255} onKeyDown={(e) => { if (e.key === "Enter" && hosts[0]) choose(hosts[0].id); }} />
      {hosts.map((h) => <button key={h.id} type="button" className="pa-choice" onClick={() => choose(h.id)}><span><Inert text={h.address ?? h.hostnames[0] ?? String(h.id)} /> <span className="dim"><Inert text={[h.hostnames[0], h.site].filter(Boolean).join(", ")} /></span></span></button>)}
      {asked.length >= 2 && found.data && hosts.length === 0 && <p className="dim pa-small">No host is called that.</p>}
    </div>
  );
}
