// The words of the field, each with a shape of its own: nothing is told by colour alone.
import type { ReactNode } from "react";

type Tone = "critical" | "high" | "medium" | "low" | "info" | "none" | "good";

/** Chip is a short word with a tone. */
export function Chip({ tone, children, title, icon }: { tone: Tone; children: ReactNode; title?: string; icon?: ReactNode }) {
  return (
    <span className="chip" data-tone={tone} title={title}>
      {icon}
      {children}
    </span>
  );
}

// Severity by how much of a square is filled, decision by a flag, state by a ring.
const shapes: Record<string, string> = {
  critical: "M1 1h10v10H1z",
  high: "M1 4h10v7H1z",
  medium: "M1 6.5h10V11H1z",
  low: "M1 9h10v2H1z",
  info: "M5 5h2v6H5zM5 1.5h2v2H5z",
  unknown: "M4 3.2h4v3H6.8v1.6H5.2V5h1.2V4.8H5.2V5H4zM5.2 9h1.6v1.7H5.2z",
};

function Shape({ name }: { name: string }) {
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <rect x="0.5" y="0.5" width="11" height="11" rx="2" fill="none" stroke="currentColor" strokeOpacity="0.45" />
      <path d={shapes[name] ?? shapes.unknown} fill="currentColor" />
    </svg>
  );
}

export const severities = ["critical", "high", "medium", "low", "info", "unknown"] as const;
export const decisions = ["act", "attend", "plan", "track"] as const;

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);

export function toneOfSeverity(severity: string): Tone {
  return severity === "critical" || severity === "high" || severity === "medium" || severity === "low" ? severity : "info";
}

/** fillOf is the colour of an area or a line of a chart. */
export const fillOf = (severity: string) => `var(--fill-${toneOfSeverity(severity)})`;

/** Severity is how bad the weakness is in itself. */
export function Severity({ value, short }: { value: string; short?: boolean }) {
  const word = value === "unknown" ? "Unknown" : capital(value);
  return (
    <Chip tone={toneOfSeverity(value)} icon={<Shape name={value} />} title={value === "unknown" ? "nobody has scored it yet" : `severity ${value}`}>
      {short ? word.slice(0, 4) : word}
    </Chip>
  );
}

const flags: Record<string, { tone: Tone; says: string; path: string }> = {
  act: { tone: "critical", says: "Act: fix within 3 days", path: "M2 11V1h8L8 4l2 3H3.2V11z" },
  attend: { tone: "high", says: "Attend: fix within 14 days", path: "M2 11V1h7v6H3.2V11z" },
  plan: { tone: "low", says: "Plan: fix within 60 days", path: "M2 11V1h1.2v10zM4 2.6h4v1.2H4zM4 5h3v1.2H4z" },
  track: { tone: "info", says: "Track: with the next upgrade", path: "M2 11V1h1.2v10z" },
};

/** Decision is what to do about a finding (CISA BOD 26-04), and by when. */
export function Decision({ value, forensics }: { value: string | null; forensics?: boolean }) {
  const f = value ? flags[value] : undefined;
  if (!f) return <Chip tone="info" title="not enough is known to decide">Undecided</Chip>;
  return (
    <Chip tone={f.tone} title={f.says + (forensics ? "; also look for signs that it has already been attacked" : "")} icon={<svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><path d={f.path} fill="currentColor" /></svg>}>
      {capital(value!)}
      {forensics && <span aria-label="and look for signs of an attack">+</span>}
    </Chip>
  );
}

/** KEV says that attackers use it. */
export function KEV({ ransomware }: { ransomware?: boolean | null }) {
  return (
    <Chip tone="critical" title={"CISA lists it as known to be exploited" + (ransomware ? ", with ransomware" : "")} icon={<svg width="11" height="12" viewBox="0 0 11 12" aria-hidden="true"><path d="M6.6 0 1 7h3.6L3.4 12 10 4.6H6z" fill="currentColor" /></svg>}>
      KEV
    </Chip>
  );
}

const stateWords: Record<string, { word: string; tone: Tone }> = {
  open: { word: "Open", tone: "high" }, reopened: { word: "Reopened", tone: "critical" }, fixed: { word: "Fixed", tone: "good" }, closed: { word: "Closed", tone: "info" },
  none: { word: "Not triaged", tone: "none" }, confirmed: { word: "Confirmed", tone: "high" }, false_positive: { word: "False positive", tone: "info" },
  accepted: { word: "Accepted", tone: "info" }, out_of_scope: { word: "Out of scope", tone: "info" },
  pending: { word: "Waiting", tone: "info" }, running: { word: "Running", tone: "low" }, completed: { word: "Completed", tone: "good" }, failed: { word: "Failed", tone: "critical" },
  paused: { word: "Paused", tone: "medium" }, cancelled: { word: "Cancelled", tone: "info" }, queued: { word: "Waiting", tone: "info" }, done: { word: "Done", tone: "good" }, dead: { word: "Gave up", tone: "critical" },
};

/** wordOf is how a state is called on a page. */
export const wordOf = (state: string) => stateWords[state]?.word ?? capital(state.replaceAll("_", " "));

/** State is where a finding, a scan or a job stands. */
export function State({ value }: { value: string }) {
  return (
    <Chip tone={stateWords[value]?.tone ?? "info"} icon={<svg width="9" height="9" viewBox="0 0 9 9" aria-hidden="true"><circle cx="4.5" cy="4.5" r="3.4" fill={stateWords[value]?.tone === "good" ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.8" /></svg>}>
      {wordOf(value)}
    </Chip>
  );
}

/** SeverityBar shows how many of each severity as parts of one bar, and says it in words. */
export function SeverityBar({ counts }: { counts: Record<string, number> }) {
  const there = severities.filter((s) => (counts[s] ?? 0) > 0);
  const total = there.reduce((n, s) => n + (counts[s] ?? 0), 0);
  if (total === 0) return <span className="dim">none</span>;
  const says = there.map((s) => `${(counts[s] ?? 0).toLocaleString()} ${s}`).join(", ");
  return (
    <div className="bars" role="img" aria-label={says} title={says}>
      {there.map((s) => <span key={s} style={{ flexGrow: counts[s] ?? 0, background: fillOf(s) }} />)}
    </div>
  );
}
