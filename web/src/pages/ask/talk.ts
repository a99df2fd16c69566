// A conversation as the page holds it: what was asked, and how far the answers are.
import type { About, Answer, Begun, Part } from "./kinds";

export type Turn = {
  key: number;
  question: string;
  about: About | null;
  state: "asking" | "answered" | "failed" | "stopped";
  text: string;
  begun: Begun | null;
  answer: Answer | null;
  error: unknown;
};

export type Talk = {
  session: string;
  turns: Turn[];
  /** earlier is how many questions of the conversation are not shown. */
  earlier: number;
  loading: boolean;
  error: unknown;
};

export type Deed =
  | { do: "open"; session: string; loading: boolean }
  | { do: "load"; session: string; answers: Answer[]; total: number; before?: boolean }
  | { do: "loaded not"; session: string; error: unknown }
  | { do: "ask"; question: string; about: About | null }
  | { do: "hear"; parts: Part[] }
  | { do: "fail"; error: unknown }
  | { do: "stop" }
  | { do: "renew"; answer: Answer }
  | { do: "drop"; key: number };

export const empty: Talk = { session: "", turns: [], earlier: 0, loading: false, error: null };

// A model that does not stop is cut by the server; this is for one that is not the server.
const most = 200_000;

let keys = 0;

const answered = (answer: Answer): Turn => ({ key: ++keys, question: answer.question, about: null, state: "answered", text: answer.answer, begun: null, answer, error: null });

/** reduce is what becomes of a conversation. */
export function reduce(talk: Talk, deed: Deed): Talk {
  switch (deed.do) {
    case "open":
      return { ...empty, session: deed.session, loading: deed.loading };
    case "load": {
      if (deed.session !== talk.session) return talk;
      const more = deed.answers.map(answered);
      return { ...talk, turns: [...more, ...talk.turns], earlier: deed.before ? Math.max(0, talk.earlier - more.length) : Math.max(0, deed.total - more.length), loading: false, error: null };
    }
    case "loaded not":
      return deed.session === talk.session ? { ...talk, loading: false, error: deed.error } : talk;
    case "ask":
      return { ...talk, turns: [...talk.turns, { key: ++keys, question: deed.question, about: deed.about, state: "asking", text: "", begun: null, answer: null, error: null }] };
    case "hear":
      return deed.parts.reduce(hear, talk);
    case "fail":
      return last(talk, (turn) => ({ ...turn, state: "failed", error: deed.error }));
    case "stop":
      return last(talk, (turn) => ({ ...turn, state: "stopped" }));
    case "renew":
      return { ...talk, turns: talk.turns.map((t) => (t.answer && t.answer.id === deed.answer.id ? { ...t, answer: { ...t.answer, feedback: deed.answer.feedback } } : t)) };
    case "drop":
      return { ...talk, turns: talk.turns.filter((t) => t.key !== deed.key) };
  }
}

/** last changes the question that is being answered; when none is, nothing: what comes after a stop is late. */
function last(talk: Talk, change: (turn: Turn) => Turn): Talk {
  const turn = talk.turns[talk.turns.length - 1];
  return turn?.state === "asking" ? { ...talk, turns: [...talk.turns.slice(0, -1), change(turn)] } : talk;
}

function hear(talk: Talk, part: Part): Talk {
  const now = last(talk, (turn) => heard(turn, part));
  if (now === talk) return talk;
  const session = part.kind === "begun" ? part.begun.session_id : part.kind === "answer" ? part.answer.session_id : "";
  return session ? { ...now, session } : now;
}

function heard(turn: Turn, part: Part): Turn {
  switch (part.kind) {
    case "begun":
      return { ...turn, begun: part.begun };
    case "text":
      return turn.text.length > most ? turn : { ...turn, text: turn.text + part.text };
    case "reset":
      return { ...turn, text: "" };
    case "answer":
      return { ...turn, state: "answered", text: part.answer.answer, answer: part.answer };
  }
}

export const isAsking = (talk: Talk) => talk.turns[talk.turns.length - 1]?.state === "asking";

/** recall walks through what was asked: back is -1, forward 1. The end of the list is what was being typed: null. */
export function recall(questions: string[], at: number | null, step: -1 | 1): number | null {
  if (questions.length === 0) return null;
  const next = (at ?? questions.length) + step;
  return next >= questions.length ? null : Math.max(0, next);
}
