// The page of questions: a conversation, the earlier ones beside it.
import { ActionIcon, Button, Drawer, Menu } from "@mantine/core";
import { IconDots, IconDownload, IconHistory, IconPlus, IconTrash } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { Page } from "../../ui/page";
import { failed, said } from "../../ui/said";
import { Failure, Loading } from "../../ui/states";
import type { Raw } from "../../ui/chosen";
import { aboutWords } from "./about";
import { exported, forget } from "./ask";
import { Begin } from "./Begin";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { useDraft } from "./draft";
import type { About } from "./kinds";
import { Past, Sure } from "./Past";
import { repair } from "./search";
import { isAsking } from "./talk";
import { useTalk, type Talking } from "./useTalk";
import "./ask.css";

export function Ask() {
  const look = repair(useSearch({ strict: false }) as Raw);
  const navigate = useNavigate();
  const talking = useTalk(look.session);
  const { talk, load, stop } = talking;
  const [draft, setDraft] = useDraft("page", look.q);
  const [about, setAbout] = useState<About | null>(look.about);
  const [past, setPast] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const open = (session: string, replace = false) => void navigate({ to: "/ask", search: session ? { session } : {}, replace });
  useSame(look.session, talk.session, load, (session) => open(session, true));
  useEffect(() => field.current?.focus({ preventScroll: true }), [look.session]);
  const put = (question: string) => {
    setDraft("");
    void talking.put(question, about);
    field.current?.focus({ preventScroll: true });
  };
  const choose = (session: string) => {
    setPast(false);
    setAbout(null);
    if (session === talk.session && session === look.session) return;
    open(session);
    if (!session) void load("");
  };
  const list = <Past current={talk.session} open={choose} begin={() => choose("")} />;
  const begun = talk.turns.length > 0;
  return (
    <Page title="Ask" about="About your own exposure and the catalogue; every answer names its records." actions={<Acts talking={talking} begin={() => choose("")} showPast={() => setPast(true)} />}>
      <div className="ask">
        <aside className="ask-side">{list}</aside>
        <div className="ask-main">
          {talk.loading ? <Loading rows={8} label="Loading the conversation" /> : talk.error ? <Failure error={talk.error} what="the conversation" retry={() => void load(talk.session)} /> : begun ? <Conversation talking={talking} put={put} /> : <Begin about={about} put={put} open={choose} />}
          <div className="ask-foot-bar">
            <Composer draft={draft} setDraft={setDraft} put={put} stop={stop} asking={isAsking(talk)} asked={talk.turns.map((t) => t.question)} about={about && { words: aboutWords(about), remove: () => setAbout(null) }} field={field} />
          </div>
        </div>
      </div>
      <Drawer opened={past} onClose={() => setPast(false)} title="Conversations" size={320} position="right" closeButtonProps={{ "aria-label": "Close" }}>{past && list}</Drawer>
    </Page>
  );
}

/** useSame keeps the address and the conversation the same: one that begins gets its address, an address opens one. */
function useSame(asked: string, held: string, load: (session: string) => Promise<void>, write: (session: string) => void) {
  const was = useRef<string | null>(null);
  useEffect(() => {
    const first = was.current === null;
    const turned = was.current !== asked;
    was.current = asked;
    if (asked === held && !(first && asked)) return;
    if (turned) void load(asked);
    else write(held);
  });
}

function Acts({ talking, begin, showPast }: { talking: Talking; begin: () => void; showPast: () => void }) {
  const { session, turns } = talking.talk;
  const [sure, setSure] = useState(false);
  const kept = session !== "" && turns.some((t) => t.answer && t.answer.id > 0);
  const remove = async () => {
    await forget(session);
    begin();
    said("The conversation is removed.");
  };
  return (
    <>
      <Button className="ask-narrow" variant="default" leftSection={<IconHistory size={16} aria-hidden="true" />} onClick={showPast}>Conversations</Button>
      {turns.length > 0 && <Button className="ask-narrow" variant="default" leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={begin}>New</Button>}
      {kept && (
        <Menu position="bottom-end" shadow="md">
          <Menu.Target><ActionIcon variant="default" size={34} aria-label="This conversation"><IconDots size={17} /></ActionIcon></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconDownload size={15} />} onClick={() => void save(session, "markdown")}>Export as Markdown</Menu.Item>
            <Menu.Item leftSection={<IconDownload size={15} />} onClick={() => void save(session, "json")}>Export as JSON</Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => setSure(true)}>Remove</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {sure && <Sure title="Remove this conversation?" label="Remove" act={remove} close={() => setSure(false)}>Its questions and answers go. This cannot be taken back.</Sure>}
    </>
  );
}

async function save(session: string, format: "markdown" | "json") {
  try {
    const file = URL.createObjectURL(await (await exported(session, format)).blob());
    const link = document.createElement("a");
    link.href = file;
    link.download = `conversation-${session}.${format === "json" ? "json" : "md"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(file), 10_000);
  } catch (error) {
    failed(error, "The conversation was not exported");
  }
}
