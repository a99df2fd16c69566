// The parts of the settings, and for whom they are.
import type { Role } from "../../api/session";

export const sections = [
  { id: "account", name: "Account", group: "You", role: "viewer", about: "Your password and your session." },
  { id: "tokens", name: "Tokens", group: "You", role: "viewer", about: "For programs that use the API in your place." },
  { id: "users", name: "Users", group: "Access", role: "admin", about: "Who may sign in, and what they see." },
  { id: "roles", name: "Roles", group: "Access", role: "viewer", about: "What each role may do." },
  { id: "scope", name: "Scope", group: "Scanning", role: "viewer", about: "What may be scanned, from where and by whom." },
  { id: "sites", name: "Sites", group: "Scanning", role: "viewer", about: "Address spaces: the same address in two sites is two hosts." },
  { id: "workers", name: "Workers", group: "Scanning", role: "viewer", about: "Who runs the tools, and where." },
  { id: "rules", name: "Rules", group: "Judging", role: "viewer", about: "What is said of all findings or hosts of a kind, today's and tomorrow's." },
  { id: "sla", name: "SLA", group: "Judging", role: "viewer", about: "Your own terms, beside the due days of CISA's directive." },
  { id: "feeds", name: "Feeds", group: "Server", role: "viewer", about: "Which feeds are loaded, and when." },
  { id: "assistant", name: "Assistant", group: "Server", role: "admin", about: "What answers questions, and what of them leaves this machine." },
  { id: "jobs", name: "Jobs", group: "Server", role: "viewer", about: "What the server does in the background." },
  { id: "audit", name: "Audit trail", group: "Server", role: "admin", about: "Who did what, from where, and how it went." },
  { id: "system", name: "System", group: "Server", role: "viewer", about: "Version, database, health, backup." },
] as const satisfies readonly { id: string; name: string; group: string; role: Role; about: string }[];

export type SectionID = (typeof sections)[number]["id"];

/** sectionOf is the part that an address names; an address without one is the first. */
export function sectionOf(id: string | undefined) {
  return id === undefined ? sections[0] : sections.find((s) => s.id === id);
}

/** groups are the headings of the side list, in order. */
export const groups = [...new Set(sections.map((s) => s.group))];
