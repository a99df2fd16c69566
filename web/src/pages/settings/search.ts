// What the address says of the parts of the settings, repaired.
import { oneOf, textOf, truthOf, type Raw } from "../../ui/chosen";

export const repairTokens = (raw: Raw) => ({ all: truthOf(raw.all) });

export const repairRules = (raw: Raw) => ({ all: truthOf(raw.all) });

export const jobStates = ["", "queued", "running", "done", "dead", "cancelled"] as const;
export const jobKinds = ["", "scan", "tool", "import", "ingest", "feeds", "rematch", "triage", "purge", "report", "paths"] as const;

export const repairJobs = (raw: Raw) => ({ state: oneOf(raw.state, jobStates), kind: oneOf(raw.kind, jobKinds), after: textOf(raw.after, 400), job: /^\d{1,15}$/.test(textOf(raw.job)) ? textOf(raw.job) : "" });

export const outcomes = ["", "ok", "denied", "failed"] as const;

const day = /^\d{4}-\d{2}-\d{2}$/;
const dayOf = (value: unknown) => (day.test(textOf(value)) ? textOf(value) : "");

export const repairAudit = (raw: Raw) => ({
  who: textOf(raw.who, 200),
  action: textOf(raw.action, 100),
  subject: textOf(raw.subject, 200),
  from: textOf(raw.from, 100),
  outcome: oneOf(raw.outcome, outcomes),
  since: dayOf(raw.since),
  until: dayOf(raw.until),
  after: /^\d{1,20}$/.test(textOf(raw.after)) ? textOf(raw.after) : "",
});
