// Takes back what a scan or an import said: first what that comes to, then, when it is asked for again, it is done.
import { Button, Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, type Schema } from "../../api/client";
import { failed, said } from "../../ui/said";
import { Failure, Loading } from "../../ui/states";
import { plain } from "../../ui/inert";
import { consequences } from "./withdrawn";

type Props = { kind: "scan" | "import"; id: number; name: string; close: () => void; done: () => void };

const path = { scan: "/api/v1/scans/{id}", import: "/api/v1/imports/{id}" } as const;

async function undo(kind: Props["kind"], id: number, preview: boolean, signal?: AbortSignal): Promise<Schema<"Undo">> {
  const { data } = await api.DELETE(path[kind], { params: { path: { id }, query: { preview } }, signal });
  return data!;
}

export function Withdraw({ kind, id, name, close, done }: Props) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const preview = useQuery({ queryKey: ["undo", kind, id], queryFn: ({ signal }) => undo(kind, id, true, signal), staleTime: 0, gcTime: 0, retry: false });
  const word = kind === "scan" ? "Delete the scan" : "Undo the import";
  const apply = async () => {
    setBusy(true);
    try {
      await undo(kind, id, false);
      said(kind === "scan" ? `Scan ${id} is deleted, and what it alone saw is taken back.` : `Import ${id} is undone, and what it alone said is taken back.`);
      done();
      void client.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/api/v1/") });
    } catch (error) {
      failed(error, kind === "scan" ? "The scan was not deleted" : "The import was not undone");
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={kind === "scan" ? `Delete scan ${id}?` : `Undo import ${id}?`} size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <p style={{ overflowWrap: "anywhere" }}><bdi>{plain(name)}</bdi></p>
      {preview.isPending && <Loading rows={4} label="Looking what that comes to" />}
      {preview.isError && <Failure error={preview.error} what="what that comes to" retry={() => void preview.refetch()} />}
      {preview.data && (
        <ul style={{ margin: "12px 0", paddingLeft: 20, lineHeight: 1.7 }}>
          {consequences(preview.data.undone).map((c) => <li key={c}>{c}</li>)}
        </ul>
      )}
      <p className="dim">What other scans and reports said stays. This cannot be taken back; {kind === "scan" ? "scan again" : "import the file again"} to have it back.</p>
      <div style={{ display: "flex", gap: 8, justifyContent: "flex-end", marginTop: 18 }}>
        <Button variant="default" onClick={close} data-autofocus>Keep it</Button>
        <Button color="red.9" loading={busy} disabled={!preview.data} onClick={() => void apply()}>{word}</Button>
      </div>
    </Modal>
  );
}
