// Asking: the answer comes as a stream of events where the way to the server lets one through, else whole.
import { Problem, send } from "../../api/client";
import { Events, type ServerEvent } from "./events";
import type { About, Answer, Begun, History, Part, Sessions, State } from "./kinds";

export type Ask = { message: string; session: string; about: About | null };

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || undefined;

const bodyOf = (ask: Ask) => JSON.stringify({ message: ask.message, session_id: ask.session || undefined, about: ask.about ?? undefined, zone: zone() });

/** ask sends a question; hear gets the parts of its answer as they come, the last of them the whole answer. */
export async function ask(question: Ask, hear: (parts: Part[]) => void, signal: AbortSignal): Promise<void> {
  let session = question.session;
  try {
    const response = await post(question, "text/event-stream", signal);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return hear([{ kind: "answer", answer: (await response.json()) as Answer }]);
    const ended = await read(response, signal, (parts) => {
      for (const part of parts) if (part.kind === "begun") session = part.begun.session_id;
      hear(parts);
    });
    if (ended) return;
  } catch (error) {
    // What the server said is its answer. A connection that broke in between is not.
    if (signal.aborted || error instanceof Problem) throw error;
  }
  signal.throwIfAborted();
  hear([{ kind: "answer", answer: await whole({ ...question, session }, signal) }]);
}

/** whole is the answer without a stream: what the server has kept of it, else it is asked again. */
async function whole(question: Ask, signal: AbortSignal): Promise<Answer> {
  if (question.session) {
    const kept = await lately(question.session, signal);
    const last = kept[kept.length - 1];
    if (last?.question === question.message && Date.now() - Date.parse(last.at) < 120_000) return last;
  }
  return (await post(question, "application/json", signal)).json() as Promise<Answer>;
}

async function lately(session: string, signal: AbortSignal): Promise<Answer[]> {
  try {
    return (await history(session, -1, 5, signal)).items;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return [];
    throw error;
  }
}

const post = (question: Ask, accept: string, signal: AbortSignal) =>
  send("api/v1/chat/query", { method: "POST", signal, headers: { "Content-Type": "application/json", Accept: accept }, body: bodyOf(question) });

/** read hears a stream to its end and says whether the whole answer was in it. */
async function read(response: Response, signal: AbortSignal, hear: (parts: Part[]) => void): Promise<boolean> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const events = new Events();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return false;
      const parts = events.push(value).map(partOf).filter((p) => p !== null);
      if (parts.length > 0) hear(parts);
      if (parts.some((p) => p.kind === "answer")) return true;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** partOf understands one event. Names that are not known are left out: a newer server may say more. */
export function partOf({ name, data }: ServerEvent): Part | null {
  if (name === "reset") return { kind: "reset" };
  if (name !== "begun" && name !== "text" && name !== "answer" && name !== "error") return null;
  const said: unknown = JSON.parse(data);
  switch (name) {
    case "begun":
      return { kind: "begun", begun: said as Begun };
    case "text":
      return { kind: "text", text: (said as { text: string }).text };
    case "answer":
      return { kind: "answer", answer: said as Answer };
    default: {
      const problem = said as { status?: number; detail?: string; title?: string };
      throw new Problem(problem.status ?? 500, problem.detail ?? problem.title ?? "the answer broke off");
    }
  }
}

const json = async <T>(path: string, init: RequestInit = {}): Promise<T> => (await send("api/v1/chat/" + path, init)).json() as Promise<T>;
const of = (session: string) => "history/" + encodeURIComponent(session);

/** history is a part of a conversation, the oldest question first. Skip -1 is its end. */
export async function history(session: string, skip: number, limit: number, signal?: AbortSignal): Promise<History> {
  const part = (from: number, n: number) => json<History>(`${of(session)}?skip=${from}&limit=${n}`, { signal });
  const first = await part(Math.max(0, skip), limit);
  return skip < 0 && first.total > limit ? part(first.total - limit, limit) : first;
}

export const sessions = (skip: number, limit: number, signal?: AbortSignal) => json<Sessions>(`sessions?skip=${skip}&limit=${limit}`, { signal });
export const forget = (session: string) => send("api/v1/chat/" + of(session), { method: "DELETE" });
export const forgetAll = () => send("api/v1/chat/sessions", { method: "DELETE" });
export const suggestions = (about: About | null, signal?: AbortSignal) => json<{ items: string[] }>("suggestions" + (about ? "?" + new URLSearchParams(about).toString() : ""), { signal });
export const state = (signal?: AbortSignal) => json<State>("state", { signal });
export const judge = (id: number, good: boolean, comment: string) => json<Answer>(`answers/${id}/feedback`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ good, comment }) });
export const accept = (peers: Partial<Record<"model" | "embeddings" | "vectors", boolean>>) => json<State>("state", { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(peers) });

/** exported is a whole conversation as a file. */
export const exported = (session: string, format: "markdown" | "json") => send(`api/v1/chat/${of(session)}/export?format=${format}`, {});
