// Two selected hosts become one: which of them stays is chosen here.
import { Button, Group, Modal, Radio, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { failed } from "../../ui/said";
import { titleOf } from "./Host";
import type { Host } from "./Hosts";
import { suggestionsFor } from "./suggest";
import { done } from "./undo";

/** Pair joins two hosts. */
export function Pair({ hosts: [one, two], close, after }: { hosts: [Host, Host]; close: () => void; after: () => void }) {
  const [stays, setStays] = useState(String(one.last_seen >= two.last_seen ? one.id : two.id));
  const client = useQueryClient();
  const alike = suggestionsFor(one, [two])[0]?.why;
  const merge = useMutation({
    mutationFn: () => api.POST("/api/v1/assets/merge", { body: { host: stays, other: String(stays === String(one.id) ? two.id : one.id) } }),
    onSuccess: () => {
      void client.invalidateQueries();
      done("They are one host now; findings, triage and history came along.");
      close();
      after();
    },
    onError: (error) => failed(error, "They were not joined"),
  });
  return (
    <Modal opened onClose={close} title="Join two hosts" closeButtonProps={{ "aria-label": "Close" }}>
      <p className="dim">They become one machine with all addresses, names, services, findings and decisions of both. {alike ? <>They share: <Inert text={alike.join(", ")} />.</> : "They share no name and no address: be sure that they are one machine."}</p>
      <Radio.Group mt="md" label="Which one stays" value={stays} onChange={setStays}>
        <Stack gap={8} mt={6}>{[one, two].map((h) => <Radio key={h.id} value={String(h.id)} label={<><Inert text={titleOf(h)} /> <span className="dim"><Inert text={h.hostnames.join(", ") || "no name"} /></span></>} />)}</Stack>
      </Radio.Group>
      <Group justify="flex-end" mt="lg"><Button variant="default" onClick={close}>Leave them</Button><Button loading={merge.isPending} onClick={() => merge.mutate()}>Join them</Button></Group>
    </Modal>
  );
}
