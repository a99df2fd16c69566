// The field for a question: Enter asks, Shift and Enter begins a line, arrow up brings back what was asked.
import { ActionIcon, Textarea } from "@mantine/core";
import { IconPlayerStopFilled, IconArrowUp, IconX } from "@tabler/icons-react";
import { useRef, useState, type KeyboardEvent, type RefObject } from "react";

import { Inert } from "../../ui/inert";
import { recall } from "./talk";

type Props = {
  draft: string;
  setDraft: (text: string) => void;
  put: (question: string) => void;
  stop: () => void;
  asking: boolean;
  asked: string[];
  about?: { words: string; remove: () => void } | null;
  field: RefObject<HTMLTextAreaElement | null>;
};

export const longest = 2000;

export function Composer({ draft, setDraft, put, stop, asking, asked, about, field }: Props) {
  const { onKey } = useRecall(draft, setDraft, asked);
  const ready = draft.trim() !== "" && !asking;
  const submit = () => {
    if (ready) put(draft.trim());
  };
  const key = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    if (e.nativeEvent.isComposing) return;
    if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      submit();
    } else if (e.key === "Escape" && asking) {
      e.stopPropagation();
      stop();
    } else onKey(e);
  };
  return (
    <form className="ask-composer" onSubmit={(e) => { e.preventDefault(); submit(); }}>
      {about && (
        <span className="ask-about">about <b className="cut"><Inert text={about.words} /></b>
          <button type="button" aria-label={`Do not ask about ${about.words}`} title="Ask about everything" onClick={about.remove}><IconX size={13} aria-hidden="true" /></button>
        </span>
      )}
      <div className="ask-line">
        <Textarea ref={field} aria-label="Your question" placeholder="Ask a question" variant="unstyled" autosize minRows={1} maxRows={8} maxLength={longest} value={draft} onChange={(e) => setDraft(e.currentTarget.value)} onKeyDown={key} style={{ flex: 1 }} spellCheck />
        {asking ? (
          <ActionIcon size={34} radius="md" variant="default" aria-label="Stop" title="Stop (Esc)" onClick={stop}><IconPlayerStopFilled size={16} /></ActionIcon>
        ) : (
          <ActionIcon size={34} radius="md" type="submit" aria-label="Ask" title="Ask (Enter)" disabled={!ready}><IconArrowUp size={18} /></ActionIcon>
        )}
      </div>
    </form>
  );
}

/** useRecall brings back earlier questions by the arrows, as long as what stands in the field is not somebody's own text. */
function useRecall(draft: string, setDraft: (text: string) => void, asked: string[]) {
  const [at, setAt] = useState<number | null>(null);
  const kept = useRef("");
  const onKey = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[e.key] as -1 | 1 | undefined;
    const recalled = at !== null && draft === asked[at];
    if (!step || e.shiftKey || e.altKey || (draft !== "" && !recalled) || (step > 0 && !recalled)) return;
    e.preventDefault();
    if (!recalled) kept.current = draft;
    const next = recall(asked, recalled ? at : null, step);
    setAt(next);
    setDraft(next === null ? kept.current : asked[next]!);
  };
  return { onKey };
}
