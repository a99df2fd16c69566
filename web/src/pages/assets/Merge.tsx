// Two hosts that are one machine are joined; one that is two is split. Findings, triage and history follow.
import { Button, Group, Modal, Radio, Select, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { failed } from "../../ui/said";
import { titleOf, type Detail } from "./Host";
import { done } from "./undo";
import { suggestionsFor } from "./suggest";

type Host = Schema<"Host">;

/** useAlike looks for hosts of the same site that share a name or an address with this one. */
function useAlike(host: Detail) {
  const words = [...host.hostnames, ...host.addresses].slice(0, 6);
  const asked = useQueries({ queries: words.map((search) => $api.queryOptions("get", "/api/v1/assets", { params: { query: { search, site: host.site, limit: 20 } } }, { staleTime: 60_000 })) });
  return suggestionsFor(host, asked.flatMap((q) => q.data?.hosts ?? []));
}

const nameOf = (h: Host) => plain([titleOf(h), h.hostnames[0] !== titleOf(h) ? h.hostnames[0] : undefined, h.os].filter(Boolean).join(" · "));

/** Merge chooses the host that becomes part of this one. */
export function Merge({ host, close }: { host: Detail; close: () => void }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, 150);
  const alike = useAlike(host);
  const found = $api.useQuery("get", "/api/v1/assets", { params: { query: { search: asked || undefined, site: host.site, limit: 30 } } }, { placeholderData: keepPreviousData });
  const others = (found.data?.hosts ?? []).filter((h) => h.id !== host.id);
  const client = useQueryClient();
  const merge = useMutation({
    mutationFn: () => api.POST("/api/v1/assets/merge", { body: { host: String(host.id), other: chosen! } }),
    onSuccess: () => {
      void client.invalidateQueries();
      done("They are one host now; findings, triage and history came along. Splitting its address off parts them again.");
      close();
    },
    onError: (error) => failed(error, "They were not joined"),
  });
  return (
    <Modal opened onClose={close} title={`Join another host into ${plain(titleOf(host))}`} size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <p className="dim">The other becomes part of this one: its addresses, names, services, findings and what people decided. Only hosts of the site {plain(host.site)} can be the same machine.</p>
      {alike.length > 0 && (
        <Radio.Group mt="md" label="They look alike" value={chosen} onChange={setChosen}>
          <Stack gap={8} mt={6}>{alike.slice(0, 6).map((s) => <Radio key={s.host.id} value={String(s.host.id)} label={<><Inert text={nameOf(s.host)} /> <span className="dim">{s.why.map(plain).join(", ")}</span></>} />)}</Stack>
        </Radio.Group>
      )}
      <Select
        mt="md" label={alike.length > 0 ? "Or another one" : "Which one"} placeholder="Address or name" searchable searchValue={text} onSearchChange={setText} value={chosen} onChange={setChosen} filter={({ options }) => options}
        data={others.map((h) => ({ value: String(h.id), label: nameOf(h) })).concat(chosen && !others.some((h) => String(h.id) === chosen) ? alike.filter((s) => String(s.host.id) === chosen).map((s) => ({ value: chosen, label: nameOf(s.host) })) : [])} nothingFoundMessage="No other host is called that"
      />
      <Group justify="flex-end" mt="lg"><Button variant="default" onClick={close}>Leave them</Button><Button disabled={!chosen} loading={merge.isPending} onClick={() => merge.mutate()}>Join them</Button></Group>
    </Modal>
  );
}

/** Split makes what was seen at one address or name a host of its own. */
export function Split({ host, close }: { host: Detail; close: () => void }) {
  const [place, setPlace] = useState<string | null>(null);
  const navigate = useNavigate();
  const client = useQueryClient();
  const split = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/assets/{id}/split", { params: { path: { id: host.id } }, body: { place: place! } })).data!,
    onSuccess: (made) => {
      void client.invalidateQueries();
      done("It is a host of its own now.", async () => { await api.POST("/api/v1/assets/merge", { body: { host: String(host.id), other: String(made.id) } }); await client.invalidateQueries(); });
      close();
      void navigate({ to: "/assets/$id", params: { id: String(made.id) } });
    },
    onError: (error) => failed(error, "It was not split"),
  });
  return (
    <Modal opened onClose={close} title={`Split ${plain(titleOf(host))}`} closeButtonProps={{ "aria-label": "Close" }}>
      <p className="dim">What was seen at the address or name that you choose becomes a host of its own, with its services and findings.</p>
      <Radio.Group mt="md" label="What is another machine" value={place} onChange={setPlace}>
        <Stack gap={8} mt={6}>{[...host.addresses, ...host.hostnames].slice(0, 40).map((p) => <Radio key={p} value={p} label={<Inert text={p} mono />} />)}</Stack>
      </Radio.Group>
      <Group justify="flex-end" mt="lg"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={!place} loading={split.isPending} onClick={() => split.mutate()}>Split it off</Button></Group>
    </Modal>
  );
}
