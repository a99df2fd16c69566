// Questions about what is on the screen, at the right of any page.
import { ActionIcon, FocusTrap } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconArrowsDiagonal, IconPlus, IconX } from "@tabler/icons-react";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";

import { $api, base } from "../../api/client";
import { aboutOf, aboutWords } from "./about";
import { Begin } from "./Begin";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { useDraft } from "./draft";
import type { About } from "./kinds";
import { isAsking } from "./talk";
import { useTalk } from "./useTalk";
import "./ask.css";

export type Wish = { n: number; text: string };

/** AskPanel keeps its conversation while it is closed and while pages change. wish is a question that came from elsewhere. */
export function AskPanel({ opened, close, wish }: { opened: boolean; close: () => void; wish: Wish | null }) {
  const talking = useTalk();
  const { talk, load, stop } = talking;
  const screen = useScreen();
  const [draft, setDraft] = useDraft("panel");
  const phone = useMediaQuery("(max-width: 680px)");
  const field = useRef<HTMLTextAreaElement>(null);
  const navigate = useNavigate();
  const asking = isAsking(talk);
  const put = (question: string) => {
    setDraft("");
    void talking.put(question, screen.about);
    field.current?.focus({ preventScroll: true });
  };
  useWish(wish, asking ? setDraft : put);
  useEffect(() => {
    if (opened) field.current?.focus({ preventScroll: true });
  }, [opened]);
  if (!opened) return null;
  const toPage = () => {
    close();
    void navigate({ to: "/ask", search: talk.session ? { session: talk.session } : { q: draft || undefined, about: screen.about ? `${screen.about.kind}:${screen.about.id}` : undefined } });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    e.stopPropagation();
    close();
  };
  const Box = phone ? "div" : "aside";
  return (
    <FocusTrap active={phone === true}>
      <Box className="ask-panel" role={phone ? "dialog" : undefined} aria-modal={phone || undefined} aria-label="Ask" onKeyDown={key}>
        <div className="ask-panel-head">
          <h2>Ask</h2>
          {talk.turns.length > 0 && <ActionIcon variant="subtle" color="gray" aria-label="New conversation" title="New conversation" onClick={() => void load("")}><IconPlus size={17} /></ActionIcon>}
          <ActionIcon variant="subtle" color="gray" aria-label="Open in the page" title="Open in the page" disabled={asking} onClick={toPage}><IconArrowsDiagonal size={17} /></ActionIcon>
          <ActionIcon variant="subtle" color="gray" aria-label="Close" title="Close (Esc)" onClick={close}><IconX size={17} /></ActionIcon>
        </div>
        <div className="ask-panel-body" tabIndex={-1}>
          {talk.turns.length > 0 ? <Conversation talking={talking} put={put} /> : <Begin about={screen.about} put={put} small />}
        </div>
        <div className="ask-panel-foot">
          <Composer draft={draft} setDraft={setDraft} put={put} stop={stop} asking={asking} asked={talk.turns.map((t) => t.question)} about={screen.about && { words: screen.words, remove: screen.remove }} field={field} />
        </div>
      </Box>
    </FocusTrap>
  );
}

/** useScreen is what the page below shows, unless the asker said that the question is not about it. */
function useScreen(): { about: About | null; words: string; remove: () => void } {
  const location = useLocation();
  const path = "/" + location.pathname.slice(base.pathname.length - 1).replace(/^\/+/, "");
  const about = aboutOf(path, location.search);
  const name = about ? `${about.kind}:${about.id}` : "";
  const [removed, setRemoved] = useState("");
  const host = $api.useQuery("get", "/api/v1/assets/{id}", { params: { path: { id: Number(about?.id) } } }, { enabled: about?.kind === "host", staleTime: 60_000 });
  const called = about?.kind === "host" ? (host.data?.address ?? host.data?.hostnames[0]) : null;
  if (!about || removed === name) return { about: null, words: "", remove: () => {} };
  return { about, words: aboutWords(about, called), remove: () => setRemoved(name) };
}

function useWish(wish: Wish | null, put: (text: string) => void) {
  const done = useRef(0);
  useEffect(() => {
    if (!wish || wish.n === done.current) return;
    done.current = wish.n;
    if (wish.text) put(wish.text);
  });
}
