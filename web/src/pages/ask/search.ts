// What is chosen on the page of questions, as it stands in its address.
import { textOf, type Raw } from "../../ui/chosen";
import type { About } from "./kinds";

/** Look: the conversation that is open, and a question that is put into the field. A link never asks by itself. */
export type Look = { session: string; q: string; about: About | null };

const kinds = ["cve", "finding", "host", "scan", "technique", "path", "page"];

export function repair(raw: Raw): Look {
  const session = textOf(raw.session, 64);
  const [kind = "", ...id] = textOf(raw.about, 1000).split(":");
  return {
    session: /^[A-Za-z0-9._-]{1,64}$/.test(session) ? session : "",
    q: textOf(raw.q, 2000).trim(),
    about: kinds.includes(kind) && id.join(":") ? { kind, id: id.join(":") } : null,
  };
}
