// What can be done with the hosts that are selected.
import { Button, Group, Modal, NativeSelect, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useState } from "react";

import { api, type Schema } from "../../api/client";
import { count } from "../../ui/numbers";
import { failed } from "../../ui/said";
import type { Host } from "./Hosts";
import { Pair } from "./Pair";
import { Retire } from "./Retire";
import { done } from "./undo";
import { after, criticalities, nothingSaid, waysBack, type Words } from "./words";

const together = 10_000; // hosts that one request takes
const listed = ["get", "/api/v1/assets"] as const;

/** useSayOfMany keeps words of many hosts, shows them at once, and can take them back. */
function useSayOfMany(hosts: Host[]) {
  const client = useQueryClient();
  const say = async (ids: string[], words: Words) => {
    for (let i = 0; i < ids.length; i += together) await api.POST("/api/v1/assets/tag", { body: { hosts: ids.slice(i, i + together), ...words } });
  };
  const show = (change: (h: Host) => Host) => {
    const ids = new Set(hosts.map((h) => h.id));
    client.setQueriesData<InfiniteData<Schema<"HostPage">>>({ queryKey: listed, predicate: (q) => Array.isArray((q.state.data as { pages?: unknown })?.pages) }, (old) => old && { ...old, pages: old.pages.map((p) => ({ ...p, hosts: p.hosts.map((h) => (ids.has(h.id) ? change(h) : h)) })) });
  };
  const before = new Map(hosts.map((h) => [h.id, h]));
  const restore = () => show((h) => before.get(h.id) ?? h);
  return useMutation({
    mutationFn: (words: Words) => say(hosts.map((h) => String(h.id)), words),
    onMutate: (words) => show((h) => after(h, words)),
    onSuccess: (_, words) => {
      void client.invalidateQueries({ queryKey: ["get", "/api/v1/assets/{id}"] });
      done(`Kept of ${count(hosts.length, "host")}.`, async () => {
        for (const way of waysBack(hosts, words)) await say(way.hosts, way.words);
        restore();
      });
    },
    onError: (error) => {
      restore();
      failed(error, "It was not kept");
    },
  });
}

/** Chosen is the bar of deeds. */
export function Chosen({ hosts, done: over }: { hosts: Host[]; done: () => void }) {
  const [open, setOpen] = useState<"say" | "retire" | "merge" | null>(null);
  const say = useSayOfMany(hosts);
  return (
    <>
      <div className="picks">
        <Button size="compact-sm" variant="default" onClick={() => setOpen("say")}>Tag, owner, criticality …</Button>
        {hosts.length === 2 && <Button size="compact-sm" variant="default" onClick={() => setOpen("merge")} disabled={hosts[0]!.site !== hosts[1]!.site} title={hosts[0]!.site !== hosts[1]!.site ? "they are in two sites" : undefined}>Join the two …</Button>}
        <Button size="compact-sm" variant="default" color="red" onClick={() => setOpen("retire")}>Retire …</Button>
        <Button size="compact-sm" variant="subtle" onClick={over}>Select none</Button>
      </div>
      {open === "say" && <Say n={hosts.length} close={() => setOpen(null)} say={(words) => { setOpen(null); say.mutate(words); }} tags={[...new Set(hosts.flatMap((h) => h.tags))].sort()} />}
      {open === "merge" && <Pair hosts={[hosts[0]!, hosts[1]!]} close={() => setOpen(null)} after={over} />}
      {open === "retire" && <Retire hosts={hosts} close={() => setOpen(null)} after={over} />}
    </>
  );
}

function Say({ n, tags, close, say }: { n: number; tags: string[]; close: () => void; say: (words: Words) => void }) {
  const [on, setOn] = useState<string[]>([]);
  const [off, setOff] = useState<string[]>([]);
  const [owner, setOwner] = useState<string | null>(null);
  const [criticality, setCriticality] = useState("keep");
  const [exposed, setExposed] = useState("keep");
  const words: Words = { tags: [...on, ...off.map((t) => "-" + t)] };
  if (words.tags!.length === 0) delete words.tags;
  if (owner !== null) words.owner = owner.trim();
  if (criticality !== "keep") words.criticality = criticality as Words["criticality"];
  if (exposed !== "keep") words.exposed = exposed as Words["exposed"];
  return (
    <Modal opened onClose={close} title={`Say of ${count(n, "host")}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(e) => { e.preventDefault(); say(words); }} style={{ display: "grid", gap: 12 }}>
        <TagsInput label="Tags to put on" placeholder="Enter keeps each" value={on} onChange={setOn} splitChars={[",", " ", ";"]} maxTags={50} data={tags} data-autofocus />
        <TagsInput label="Tags to take off" placeholder={tags.length > 0 ? "choose" : "they have none"} disabled={tags.length === 0} value={off} onChange={setOff} splitChars={[",", " ", ";"]} maxTags={50} data={tags} />
        <TextInput label="Owner" description="who answers for them; left alone when nothing is written" placeholder="leave as it is" maxLength={255} value={owner ?? ""} onChange={(e) => setOwner(e.currentTarget.value || null)} rightSectionWidth={70} rightSection={<Button size="compact-xs" variant="subtle" onClick={() => setOwner(owner === "" ? null : "")} aria-pressed={owner === ""}>{owner === "" ? "kept" : "nobody"}</Button>} />
        <NativeSelect label="Criticality" value={criticality} onChange={(e) => setCriticality(e.currentTarget.value)} data={[{ value: "keep", label: "leave as it is" }, ...criticalities, { value: "", label: "leave it to the rules" }]} />
        <NativeSelect label="Exposed to the internet" value={exposed} onChange={(e) => setExposed(e.currentTarget.value)} data={[{ value: "keep", label: "leave as it is" }, { value: "yes", label: "yes" }, { value: "no", label: "no" }, { value: "unset", label: "by addresses and rules" }]} />
        <Group justify="flex-end" mt="xs"><Button variant="default" onClick={close}>Cancel</Button><Button type="submit" disabled={nothingSaid(words)}>Keep</Button></Group>
      </form>
    </Modal>
  );
}
