// What people say of a host: changed where it stands, with a way back.
import { ActionIcon, NativeSelect, TagsInput, TextInput } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { api } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { failed } from "../../ui/said";
import { Chip } from "../../ui/words";
import { hostKey, type Detail } from "./Host";
import { done } from "./undo";
import { after, backOf, changeOfTags, criticalities, exposureWord, nothingSaid, type Words } from "./words";

/** useSay keeps words of one host: shown at once, taken back when the server refuses, undone on request. */
function useSay(host: Detail) {
  const client = useQueryClient();
  const key = hostKey(host.id);
  const say = async (words: Words) => {
    await api.PATCH("/api/v1/assets/{id}", { params: { path: { id: host.id } }, body: words });
    void client.invalidateQueries({ queryKey: key });
    void client.invalidateQueries({ queryKey: ["get", "/api/v1/assets"], refetchType: "none" });
  };
  return useMutation({
    mutationFn: say,
    onMutate: async (words) => {
      await client.cancelQueries({ queryKey: key });
      const old = client.getQueryData<Detail>(key);
      if (old) client.setQueryData<Detail>(key, { ...after(old, words), own: after(old.own, words) });
      return { old, back: backOf(words, host.own) };
    },
    onSuccess: (_, words, kept) => done(sentence(words), nothingSaid(kept.back) ? undefined : () => say(kept.back)),
    onError: (error, _, kept) => {
      if (kept?.old) client.setQueryData(key, kept.old);
      failed(error, "It was not kept");
    },
  });
}

function sentence(words: Words): string {
  if (words.owner !== undefined) return words.owner ? `${words.owner} answers for it.` : "Nobody is said to answer for it.";
  if (words.criticality !== undefined) return words.criticality ? `Its criticality is ${words.criticality}.` : "Nobody says how critical it is.";
  if (words.exposed !== undefined) return words.exposed === "unset" ? "Exposure follows addresses and rules again." : `It is said to be ${words.exposed === "yes" ? "exposed" : "not exposed"}; its findings are judged anew.`;
  return "Its tags are changed.";
}

/** SaidOf is the panel of those words. */
export function SaidOf({ host }: { host: Detail }) {
  const say = useSay(host);
  const rule = (differs: boolean) => differs && <span className="dim host-small"> by a rule</span>;
  const tagged = host.tags.filter((t) => !host.own.tags.includes(t));
  return (
    <Panel title="What people say">
      <dl className="facts host-words">
        <Word
          name="Owner" shown={host.owner ? <><Link to="/assets" search={{ owner: host.owner } as never}><Inert text={host.owner} /></Link>{rule(host.own.owner !== host.owner)}</> : <Missing why="nobody said" />}
          edit={(close) => <Owner value={host.own.owner ?? ""} set={(owner) => { close(); if (owner !== (host.own.owner ?? "")) say.mutate({ owner }); }} />}
        />
        <Word
          name="Tags" shown={host.tags.length > 0 ? <span className="picks">{host.tags.map((t) => <Link key={t} to="/assets" search={{ tag: t } as never} style={{ textDecoration: "none" }}><Chip tone="info" title={tagged.includes(t) ? "put on by a rule" : undefined}><Inert text={t} /></Chip></Link>)}</span> : <Missing why="no tags" />}
          edit={(close) => <Tags value={host.tags} set={(tags) => { close(); const change = changeOfTags(host.tags, tags); if (change.length > 0) say.mutate({ tags: change }); }} />}
        />
        <Word
          name="Criticality" shown={host.criticality ? <>{host.criticality}{rule(host.own.criticality !== host.criticality)}</> : <Missing why="nobody said" />}
          edit={(close) => <NativeSelect autoFocus aria-label="Criticality" defaultValue={host.own.criticality ?? ""} data={[{ value: "", label: "leave it to the rules" }, ...criticalities]} onBlur={close} onChange={(e) => { close(); say.mutate({ criticality: e.currentTarget.value as Words["criticality"] }); }} />}
        />
        <Word
          name="Exposed" shown={host.reach.exposed === null ? <Missing /> : <>{host.reach.exposed ? "yes" : "no"} <span className="dim host-small">{host.reach.why}</span></>}
          edit={(close) => <NativeSelect autoFocus aria-label="Exposed to the internet" defaultValue={exposureWord(host.own.exposed)} data={[{ value: "unset", label: "by addresses and rules" }, { value: "yes", label: "yes, the internet reaches it" }, { value: "no", label: "no" }]} onBlur={close} onChange={(e) => { close(); say.mutate({ exposed: e.currentTarget.value as Words["exposed"] }); }} />}
        />
      </dl>
    </Panel>
  );
}

function Word({ name, shown, edit }: { name: string; shown: ReactNode; edit: (close: () => void) => ReactNode }) {
  const may = useMay("analyst");
  const [editing, setEditing] = useState(false);
  return (
    <div style={{ display: "contents" }}>
      <dt>{name}</dt>
      <dd className="host-word" onKeyDown={(e) => { if (e.key === "Escape" && editing) { e.stopPropagation(); setEditing(false); } }}>
        {editing ? edit(() => setEditing(false)) : <><span>{shown}</span>{may && <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Change: ${name}`} onClick={() => setEditing(true)}><IconPencil size={14} aria-hidden="true" /></ActionIcon>}</>}
      </dd>
    </div>
  );
}

function Owner({ value, set }: { value: string; set: (owner: string) => void }) {
  const [text, setText] = useState(value);
  return <TextInput autoFocus aria-label="Owner" placeholder="a person or a team" maxLength={255} value={text} onChange={(e) => setText(e.currentTarget.value)} onBlur={() => set(text.trim())} onKeyDown={(e) => { if (e.key === "Enter") set(text.trim()); }} />;
}

function Tags({ value, set }: { value: string[]; set: (tags: string[]) => void }) {
  const [tags, setTags] = useState(value);
  return <TagsInput autoFocus aria-label="Tags" placeholder="Enter keeps each" value={tags} onChange={setTags} onBlur={() => set(tags)} splitChars={[",", " ", ";"]} maxTags={100} />;
}
