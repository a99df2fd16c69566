// What the assistant says, as the server's document has it.
export type Figure = { kind: string; id: string; name: string; count: number | null; value: string | null };
export type Facts = { count: number | null; yes: boolean | null; value: string | null; items: Figure[]; more: number };
export type Source = { n: number; kind: string; id: string; title: string; text: string; url: string; api: string | null; from: string | null; at: string | null };
export type DataAge = { name: string; at: string | null; age_hours: number | null; stale: boolean; note: string | null };
export type Feedback = { good: boolean; comment: string; at: string };

export type Answer = {
  id: number;
  session_id: string;
  question: string;
  answer: string;
  sources: Source[];
  confidence: number;
  sure: string;
  kind: string;
  understood: string;
  corrected: { from: string; to: string }[];
  refused: boolean;
  missing: string[];
  data: DataAge[];
  facts: Facts | null;
  command: string | null;
  link: string | null;
  model: { name: string; used: boolean; marked: boolean; cut: string[]; error: string | null } | null;
  next: string[];
  feedback: Feedback | null;
  at: string;
};

export type Begun = { session_id: string; understood: string; corrected: { from: string; to: string }[]; sources: Source[]; model: string | null };
export type Session = { session_id: string; title: string; started_at: string; last_at: string; questions: number };
export type Sessions = { items: Session[]; total: number; skip: number; limit: number };
export type History = Session & { items: Answer[]; total: number; skip: number; limit: number };
export type Peer = { name: string | null; url: string | null; remote: boolean; accepted: boolean | null; sends: string | null; error: string | null };
export type State = { model: Peer; embeddings: Peer; vectors: Peer; index: { name: string; records: number; current: boolean }[]; keep_days: number };

/** About is what is on the asker's screen, by the names that sources have. */
export type About = { kind: string; id: string };

/** Part is one event of a streamed answer. */
export type Part = { kind: "begun"; begun: Begun } | { kind: "text"; text: string } | { kind: "reset" } | { kind: "answer"; answer: Answer };
