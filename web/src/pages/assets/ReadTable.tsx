// A CSV file of owners, tags, criticality and exposure: read, and told what came of each row.
import { Button, FileInput, Group, Modal, NativeSelect } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { $api, send, type Schema } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { bytes, count } from "../../ui/numbers";
import { Facts } from "../../ui/page";
import { messageOf } from "../../ui/states";

const largest = 64 * 1024 * 1024;

/** ReadTable sends the file and shows the ledger. */
export function ReadTable({ close }: { close: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [site, setSite] = useState("");
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 }).data?.sites ?? [];
  const client = useQueryClient();
  const read = useMutation({
    mutationFn: async (): Promise<Schema<"AssetImport">> => {
      const query = new URLSearchParams({ filename: file!.name.slice(0, 255), ...(site ? { site } : {}) });
      const answer = await send(`api/v1/assets/import?${query}`, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
      return (await answer.json()) as Schema<"AssetImport">;
    },
    onSuccess: () => void client.invalidateQueries(),
  });
  const heavy = file !== null && file.size > largest;
  return (
    <Modal opened onClose={close} title="Owners and tags from a file" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {read.data ? <Ledger doc={read.data} close={close} /> : (
        <>
          <p className="dim">A CSV file with a line of names first: <code>address</code> or <code>name</code>, and any of <code>site</code>, <code>owner</code>, <code>tags</code>, <code>criticality</code>, <code>exposed</code>. An empty field says nothing. What a row says of a host that is not known yet is kept until it is first seen.</p>
          <pre className="raw" style={{ marginTop: 10 }} tabIndex={0} aria-label="An example">{"address,owner,tags,criticality,exposed\n192.168.1.20,web team,dmz prod,high,yes"}</pre>
          <FileInput mt="md" label="File" placeholder="Choose a CSV file" accept=".csv,text/csv,text/plain" value={file} onChange={setFile} error={heavy ? `It has ${bytes(file.size)}; at most ${bytes(largest)} can be read.` : read.isError ? plain(messageOf(read.error)) : undefined} clearable clearButtonProps={{ "aria-label": "No file" }} />
          {sites.length > 1 && <NativeSelect mt="md" label="Site of rows that name none" value={site} onChange={(e) => setSite(e.currentTarget.value)} data={[{ value: "", label: "default" }, ...sites.filter((s) => s.name !== "default").map((s) => s.name)]} />}
          <Group justify="flex-end" mt="lg"><Button variant="default" onClick={close}>Cancel</Button><Button disabled={!file || heavy} loading={read.isPending} onClick={() => read.mutate()}>Read it</Button></Group>
        </>
      )}
    </Modal>
  );
}

function Ledger({ doc, close }: { doc: Schema<"AssetImport">; close: () => void }) {
  return (
    <div role="status">
      <Facts rows={[["File", <Inert key="f" text={doc.file} />], ["Rows", doc.records.toLocaleString()], ["Hosts changed", doc.changed.toLocaleString()], ["As they were", doc.unchanged.toLocaleString()], ["Kept for later", `${count(doc.kept_as_rules, "host")} not seen yet`], ["Findings judged anew", doc.rerated.toLocaleString()]]} />
      {doc.refused.length > 0 && <><h3 style={{ marginTop: 14 }}>Not taken</h3><ul className="host-lines">{doc.refused.map((r) => <li key={r.reason}>{count(r.count, "row")}: <Inert text={r.reason} /></li>)}</ul></>}
      {doc.problems.length > 0 && <><h3 style={{ marginTop: 14 }}>Which</h3><ul className="host-lines">{doc.problems.slice(0, 50).map((p, i) => <li key={i}><Inert text={p.target} />: <span className="dim"><Inert text={p.reason} /></span></li>)}</ul></>}
      <Group justify="flex-end" mt="lg"><Button onClick={close}>Done</Button></Group>
    </div>
  );
}
