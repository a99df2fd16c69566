// Addresses, names, URLs and hashes of attackers: looking up what was pasted, and the lists themselves.
import { Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { $api, type Schema } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { nameOf } from "./feeds";
import { harmless } from "./indicators";
import { Lookup } from "./Lookup";
import { repair, type Chosen } from "./search";

const limit = 50;
const sources = ["urlhaus", "threatfox", "feodo", "malwarebazaar"];

export function Indicators() {
  const [chosen, choose] = useChosen(repair);
  return (
    <div className="threats-stack">
      <Lookup kept={chosen.look} keep={(look) => choose({ look }, { replace: true })} />
      <List chosen={chosen} choose={choose} />
    </div>
  );
}

function List({ chosen, choose }: { chosen: Chosen; choose: (c: Partial<Chosen>, how?: { replace?: boolean }) => void }) {
  const { q, kind, source, threat, active, after } = chosen;
  const list = $api.useQuery(
    "get", "/api/v1/iocs",
    { params: { query: { query: q || undefined, kind: kind || undefined, source: source || undefined, threat: threat || undefined, active: active || undefined, cursor: after || undefined, limit } } },
    { placeholderData: keepPreviousData, staleTime: 60_000 },
  );
  const filtered = !!(q || kind || source || threat || active);
  const clear = () => choose({ q: "", kind: "", source: "", threat: "", active: false, after: "" });
  return (
    <Panel title="All indicators" flush>
      <div className="threats-inner"><Filters chosen={chosen} choose={choose} /></div>
      {list.data?.note && !chosen.look && <p className="threats-note" role="note"><Inert text={list.data.note} /></p>}
      {list.isError && !list.data ? (
        <Failure error={list.error} what="the indicators" retry={() => void list.refetch()} />
      ) : !list.data ? (
        <Loading rows={10} label="Loading indicators" />
      ) : list.data.items.length === 0 ? (
        filtered
          ? <Empty title="No indicator is like that" action={<Button variant="default" onClick={clear}>Clear the filters</Button>}>{active ? "Expired ones are left out." : undefined}</Empty>
          : <Empty title="No list was loaded yet" action={<Button component={Link} to="/threats" search={{ tab: "feeds" } as never} variant="default">To the feeds</Button>}>Lists of malicious addresses come with the feeds of abuse.ch.</Empty>
      ) : (
        <>
          <Rows items={list.data.items} dimmed={list.isPlaceholderData} only={(threat) => choose({ threat, after: "" })} />
          <nav className="threats-pages" aria-label="Pages of indicators">
            <Button variant="default" size="xs" disabled={!after} onClick={() => choose({ after: "" })}>First page</Button>
            <Button variant="default" size="xs" disabled={!list.data.next} onClick={() => choose({ after: list.data.next ?? "" })}>Next</Button>
          </nav>
        </>
      )}
    </Panel>
  );
}

function Filters({ chosen, choose }: { chosen: Chosen; choose: (c: Partial<Chosen>, how?: { replace?: boolean }) => void }) {
  const [words, setWords] = useState(chosen.q);
  const said = useRef(chosen.q);
  const search = useDebouncedCallback((q: string) => {
    said.current = q;
    choose({ q, after: "" }, { replace: true });
  }, 250);
  // Back, or clearing the filters, also changes what stands in the field.
  useEffect(() => {
    if (chosen.q !== said.current) setWords((said.current = chosen.q));
  }, [chosen.q]);
  return (
    <div className="threats-filters" role="search" aria-label="Indicators">
      <TextInput
        className="threats-grow" type="search" aria-label="Words in value, threat, malware or tags" placeholder="Value, malware, tag …" leftSection={<IconSearch size={15} aria-hidden="true" />}
        value={words} onChange={(e) => { setWords(e.currentTarget.value); search(e.currentTarget.value); }}
      />
      <NativeSelect
        aria-label="Kind" value={chosen.kind} onChange={(e) => choose({ kind: e.currentTarget.value as Chosen["kind"], after: "" })}
        data={[{ value: "", label: "All kinds" }, { value: "ip", label: "Addresses" }, { value: "domain", label: "Domains" }, { value: "url", label: "URLs" }, { value: "hash", label: "Hashes" }]}
      />
      <NativeSelect aria-label="List" value={chosen.source} onChange={(e) => choose({ source: e.currentTarget.value, after: "" })} data={[{ value: "", label: "All lists" }, ...sources.map((s) => ({ value: s, label: nameOf(s) }))]} />
      {chosen.threat && <Button variant="light" size="xs" onClick={() => choose({ threat: "", after: "" })}>Threat: <Inert text={chosen.threat} /> ×</Button>}
      <Switch label="Not expired" checked={chosen.active} onChange={(e) => choose({ active: e.currentTarget.checked, after: "" })} />
    </div>
  );
}

function Rows({ items, dimmed, only }: { items: Schema<"Indicator">[]; dimmed: boolean; only: (threat: string) => void }) {
  return (
    <table className="table threats-table" style={dimmed ? { opacity: 0.55 } : undefined} aria-busy={dimmed}>
      <thead>
        <tr>
          <th scope="col">Indicator</th>
          <th scope="col">Says</th>
          <th scope="col" className="wide-only right">Confidence</th>
          <th scope="col" className="wide-only">First seen</th>
          <th scope="col" className="wide-only">Last seen</th>
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        {items.map((i) => (
          <tr key={`${i.kind} ${i.source} ${i.port ?? 0} ${i.value}`}>
            <th scope="row" className="threats-value"><IndicatorName i={i} /></th>
            <td><Says i={i} only={only} /></td>
            <td className="wide-only right num">{i.confidence} %</td>
            <td className="wide-only"><When at={i.first_seen} /></td>
            <td className="wide-only"><When at={i.last_seen} /></td>
            <td><Source i={i} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export const kinds: Record<string, string> = { ip: "address", domain: "domain", url: "URL", hash: "hash" };

export function IndicatorName({ i }: { i: Schema<"Indicator"> }) {
  return (
    <>
      <Inert text={harmless(i.value) + (i.port ? `:${i.port}` : "")} mono /> <span className="dim">{kinds[i.kind] ?? i.kind}</span>
    </>
  );
}

/** Says is what a list tells of an indicator; said leaves out that it has expired, where that stands beside it. */
export function Says({ i, only, said }: { i: Schema<"Indicator">; only?: (threat: string) => void; said?: boolean }) {
  const threat = i.threat;
  return (
    <span className="threats-touch">
      {i.expired && !said && <Chip tone="info" title="its list does not stand by it any more">Expired</Chip>}
      {threat && (only ? <Button size="compact-xs" variant="subtle" px={2} onClick={() => only(threat)} aria-label={`Only the threat ${threat}`}><Inert text={threat.replaceAll("_", " ")} /></Button> : <Inert text={threat.replaceAll("_", " ")} />)}
      {i.malware && <Inert text={i.malware} />}
      {i.status && <span className="dim"><Inert text={i.status} /></span>}
      {i.tags.length > 0 && <span className="dim threats-tags"><Inert text={i.tags.join(", ")} /></span>}
      {!threat && !i.malware && !i.status && i.tags.length === 0 && <Missing why="its list says no more" />}
    </span>
  );
}

/** Source names the list, and leads to what it says where it gives an address. */
export function Source({ i }: { i: Schema<"Indicator"> }) {
  if (!i.reference || !/^https:\/\//i.test(i.reference)) return <>{nameOf(i.source)}</>;
  return <a href={i.reference} target="_blank" rel="noreferrer noopener">{nameOf(i.source)}</a>;
}
