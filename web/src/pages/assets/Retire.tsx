// Hosts that are gone: their findings end, until they answer again. It says first what that comes to.
import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { $api, api } from "../../api/client";
import { plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { failed } from "../../ui/said";
import { Failure } from "../../ui/states";
import { titleOf } from "./Host";
import { done } from "./undo";

type Named = { id: number; address: string | null; hostnames: string[] };

/** Retire asks why, shows how many findings end, and does it. */
export function Retire({ hosts, close, after }: { hosts: Named[]; close: () => void; after?: () => void }) {
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const ids = hosts.map((h) => String(h.id));
  const preview = $api.useQuery("post", "/api/v1/assets/retire", { body: { hosts: ids, preview: true } }, { staleTime: 0 });
  const retire = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/assets/retire", { body: { hosts: ids, reason: reason.trim() || undefined } })).data!,
    onSuccess: (answer) => {
      void client.invalidateQueries();
      done(`${count(hosts.length, "host")} retired, ${count(answer.ended, "finding")} ended. Those that answer again come back.`);
      close();
      after?.();
    },
    onError: (error) => failed(error, "Nothing was retired"),
  });
  const name = hosts.length === 1 ? plain(titleOf(hosts[0]!)) : count(hosts.length, "host");
  return (
    <Modal opened onClose={close} title={`Retire ${name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      {preview.isError ? <Failure error={preview.error} what="the preview" /> : (
        <p>{preview.data ? <><strong>{count(preview.data.ended, "finding")}</strong> {preview.data.ended === 1 ? "ends" : "end"} with the reason “host retired”. They do not count as fixed.</> : "Counting its findings …"} A host that answers a later scan is back, with its findings.</p>
      )}
      <TextInput mt="md" label="Why" placeholder="decommissioned" maxLength={1000} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" mt="lg"><Button variant="default" onClick={close}>Leave it</Button><Button color="red" loading={retire.isPending} disabled={!preview.data} onClick={() => retire.mutate()}>Retire</Button></Group>
    </Modal>
  );
}
