// Questions and answers, one below the other, and the field for the next question.
import { Button, Loader } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useId, useLayoutEffect, useRef, type RefObject } from "react";

import { Problem } from "../../api/client";
import { Inert } from "../../ui/inert";
import { messageOf } from "../../ui/states";
import { aboutWords } from "./about";
import { Answered, ReadAs } from "./Answered";
import { Marked } from "./Marked";
import { wordsOf } from "./markup";
import type { Turn } from "./talk";
import type { Talking } from "./useTalk";

/** Conversation shows a talk; put asks on with a question that was offered. */
export function Conversation({ talking, put }: { talking: Talking; put: (question: string) => void }) {
  const { talk, earlier } = talking;
  const last = talk.turns[talk.turns.length - 1];
  const list = useRef<HTMLDivElement>(null);
  useShown(list, last?.key);
  return (
    <div className="ask-talk" ref={list}>
      {talk.earlier > 0 && <Button variant="default" size="xs" mx="auto" onClick={() => void earlier()}>{talk.earlier.toLocaleString()} earlier</Button>}
      {talk.turns.map((t) => <One key={t.key} turn={t} talking={talking} next={t === last ? put : undefined} />)}
      <Spoken turn={last} />
    </div>
  );
}

function One({ turn, talking, next }: { turn: Turn; talking: Talking; next?: (question: string) => void }) {
  const id = useId();
  const offers = next ? (turn.answer?.next.slice(0, 4) ?? []) : [];
  return (
    <article className="ask-turn" aria-labelledby={id} data-state={turn.state}>
      <h2 className="ask-question" id={id}><span className="sr">You asked: </span><Inert text={turn.question} />{turn.about && turn.state !== "answered" && <small className="dim"><Inert text={aboutWords(turn.about)} /></small>}</h2>
      <div className="ask-answer">
        {turn.state === "answered" ? <Answered answer={turn.answer!} renew={talking.renew} /> : <Unfinished turn={turn} talking={talking} />}
        {offers.length > 0 && (
          <div className="ask-chips ask-next" role="group" aria-label="Ask on">
            {offers.map((q) => <button key={q} type="button" className="ask-chip" onClick={() => next!(q)}><Inert text={q} /></button>)}
          </div>
        )}
      </div>
    </article>
  );
}

function Unfinished({ turn, talking }: { turn: Turn; talking: Talking }) {
  const sources = turn.begun?.sources ?? [];
  const retry = () => talking.again(turn.key, turn.question, turn.about);
  return (
    <>
      {turn.begun && turn.begun.corrected.length > 0 && <ReadAs understood={turn.begun.understood} corrected={turn.begun.corrected} />}
      {turn.text && <Marked text={turn.text} sources={sources} unfinished={turn.state === "asking"} />}
      {turn.state === "asking" && !turn.text && <p className="ask-waiting"><Loader size={14} />{turn.begun?.model ? <>Looked up; <Inert text={turn.begun.model} /> words it</> : "Looking it up"}</p>}
      {turn.state === "stopped" && <p className="ask-stopped dim">Stopped. <button type="button" className="ask-link" onClick={retry}>Ask again</button></p>}
      {turn.state === "failed" && (
        <div className="ask-failed" role="alert">
          <p>{turn.error instanceof Problem && turn.error.offline ? "The server does not answer. Your question is still here." : <Inert text={messageOf(turn.error)} />}</p>
          <Button variant="default" size="xs" leftSection={<IconRefresh size={14} aria-hidden="true" />} onClick={retry}>Try again</Button>
        </div>
      )}
    </>
  );
}

/** Spoken tells those who hear the page that an answer is made, and then the answer: once, not word by word. */
function Spoken({ turn }: { turn: Turn | undefined }) {
  const fresh = useRef(new Set<number>());
  if (turn?.state === "asking") fresh.current.add(turn.key);
  const says = !turn || !fresh.current.has(turn.key) ? "" : turn.state === "asking" ? "Looking it up" : turn.state === "answered" ? wordsOf(turn.text, () => true) : turn.state === "stopped" ? "Stopped" : "";
  return <div className="sr" aria-live="polite" aria-atomic="true"><Inert text={says || " "} /></div>;
}

/** useShown brings a new question to the top, so that its answer is read from its beginning, however long it gets. */
function useShown(list: RefObject<HTMLElement | null>, key: number | undefined) {
  useLayoutEffect(() => {
    list.current?.querySelector(".ask-turn:last-of-type")?.scrollIntoView({ block: "start" });
  }, [key, list]);
}
