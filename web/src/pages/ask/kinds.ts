// What the assistant says, as the server's document has it.
import type { Schema } from "../../api/client";

export type Answer = Schema<"Answer">;
export type Facts = Schema<"AnswerFacts">;
export type Source = Schema<"Source">;
export type Begun = Schema<"AnswerBegun">;
export type Session = Schema<"ChatSession">;
export type Sessions = Schema<"ChatSessionList">;
export type History = Schema<"ChatHistory">;
export type State = Schema<"AssistantState">;
export type Peer = Schema<"AssistantPeer">;

/** About is what is on the asker's screen, by the names that sources have. */
export type About = Schema<"ChatAbout">;

/** Part is one event of a streamed answer. */
export type Part = { kind: "begun"; begun: Begun } | { kind: "text"; text: string } | { kind: "reset" } | { kind: "answer"; answer: Answer };
