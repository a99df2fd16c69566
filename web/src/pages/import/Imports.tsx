// All imports, newest first.
import { ActionIcon, Button, Menu, Select } from "@mantine/core";
import { IconArrowBackUp, IconDots, IconDownload } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, base, type Schema } from "../../api/client";
import { Inert, Missing, plain } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { State } from "../../ui/words";
import { Withdraw } from "../scans/Withdraw";
import { fileName } from "../scans/words";
import type { Choose } from "./Import";
import { countedOf, placeOf } from "./ledger";
import type { ImportSearch } from "./search";

type Imported = Schema<"Imported">;

const runs = (i: Imported) => i.status !== "completed" && i.status !== "failed" && i.status !== "interrupted";

/** rawAt is where the report is kept, as text to save. */
export const rawAt = (id: number) => new URL(`api/v1/imports/${id}/raw`, base).href;

export function Imports({ chosen, choose, may }: { chosen: ImportSearch; choose: Choose; may: boolean }) {
  const [undo, setUndo] = useState<Imported | null>(null);
  const list = $api.useInfiniteQuery("get", "/api/v1/imports", { params: { query: { limit: 50, site: chosen.only || undefined } } }, {
    pageParamName: "cursor",
    initialPageParam: Number.MAX_SAFE_INTEGER, // the number before which the first page ends
    getNextPageParam: (p) => p.next ?? undefined,
    refetchInterval: (q) => (q.state.data?.pages.some((p) => p.imports.some(runs)) ? 3_000 : 30_000),
    placeholderData: (old) => old,
  });
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const rows = list.data?.pages.flatMap((p) => p.imports) ?? [];
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  const filter = (names.length > 1 || chosen.only) && <Select aria-label="Only of the site" size="xs" w={160} allowDeselect={false} value={chosen.only} onChange={(v) => choose({ only: v ?? "" })} data={[{ value: "", label: "All sites" }, ...names]} />;
  return (
    <Panel flush title="Imports" actions={filter}>
      {list.isPending && <Loading rows={6} label="Loading the imports" />}
      {list.isError && !list.data && <Failure error={list.error} retry={() => void list.refetch()} what="the imports" />}
      {list.data && rows.length === 0 && <Empty title="Nothing was imported yet">{may ? "Drop a report above: Nmap, Nessus, OpenVAS, Nikto, Nuclei, SARIF, CycloneDX, Trivy and more are recognised by themselves." : "An analyst imports reports; they stand here."}</Empty>}
      {rows.length > 0 && <Table rows={rows} may={may} undo={setUndo} />}
      {list.hasNextPage && <div className="more"><span>{rows.length.toLocaleString()} shown</span><Button size="compact-sm" variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show older ones</Button></div>}
      {undo && <Withdraw kind="import" id={undo.id} name={fileName(undo.ledger.file)} close={() => setUndo(null)} done={() => setUndo(null)} />}
    </Panel>
  );
}

function Table({ rows, may, undo }: { rows: Imported[]; may: boolean; undo: (i: Imported) => void }) {
  return (
    <table className="table">
      <caption className="sr">Imports with their ledgers, newest first</caption>
      <thead>
        <tr>
          <th scope="col">File</th><th scope="col" className="wide-only">Tool</th><th scope="col">Status</th>
          <th scope="col" className="num wide-only">Records</th><th scope="col" className="num">New</th><th scope="col" className="num wide-only">Merged</th><th scope="col" className="num wide-only">Informational</th><th scope="col" className="num wide-only">Dropped</th>
          <th scope="col" className="wider-only">Site</th><th scope="col" className="wider-only">By</th><th scope="col" className="wide-only">When</th>
          {may && <th scope="col"><span className="sr">What can be done</span></th>}
        </tr>
      </thead>
      <tbody>{rows.map((i) => <Row key={i.id} doc={i} may={may} undo={undo} />)}</tbody>
    </table>
  );
}

function Row({ doc, may, undo }: { doc: Imported; may: boolean; undo: (i: Imported) => void }) {
  const c = countedOf(doc.ledger);
  const known = doc.status === "completed" || c.records > 0; // before that, and of what could not be read, nothing was counted
  const n = (k: number) => (known ? k === 0 ? <span className="dim">0</span> : k.toLocaleString() : <Missing why="not counted" />);
  return (
    <tr>
      <td>
        <Link to="/import/$id" params={{ id: String(doc.id) }} className="rowlink"><Inert text={fileName(doc.ledger.file)} /></Link>
        {doc.reason && <div className="bad"><Inert text={placeOf(doc.reason).says} /></div>}
        {doc.ledger.warning && <div className="warn wide-only"><Inert text={doc.ledger.warning} /></div>}
        <div className="dim narrow-only">{doc.ledger.tool || "tool not known"}, <When at={doc.at} /></div>
      </td>
      <td className="wide-only short">{doc.ledger.tool ? <Inert text={doc.ledger.tool} /> : <Missing />}</td>
      <td><State value={doc.status} /></td>
      <td className="num wide-only">{n(c.records + c.expanded)}</td>
      <td className="num">{known && c.new > 0 ? <Link to="/findings" search={{ scan: doc.id, state: "all" }}>{c.new.toLocaleString()}</Link> : n(c.new)}</td>
      <td className="num wide-only">{known && c.merged > 0 ? <Link to="/findings" search={{ scan: doc.id, state: "all" }}>{c.merged.toLocaleString()}</Link> : n(c.merged)}</td>
      <td className="num wide-only">{n(c.informational)}</td>
      <td className="num wide-only">{known && c.dropped > 0 ? <Link to="/import/$id" params={{ id: String(doc.id) }}>{c.dropped.toLocaleString()}</Link> : n(c.dropped)}</td>
      <td className="wider-only short"><Inert text={doc.site} /></td>
      <td className="wider-only short"><Inert text={doc.by} /></td>
      <td className="wide-only"><When at={doc.at} /></td>
      {may && (
        <td style={{ width: 40, paddingBlock: 4 }}>
          <Menu position="bottom-end" shadow="md">
            <Menu.Target><ActionIcon variant="subtle" color="gray" aria-label={`More about import ${doc.id}, ${plain(fileName(doc.ledger.file))}`}><IconDots size={17} /></ActionIcon></Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component="a" href={rawAt(doc.id)} download leftSection={<IconDownload size={15} />}>Download the report</Menu.Item>
              <Menu.Item leftSection={<IconArrowBackUp size={15} />} disabled={runs(doc)} onClick={() => undo(doc)}>Undo …</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </td>
      )}
    </tr>
  );
}
