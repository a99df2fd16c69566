// What there is to go to. A page gets its line when it works, not before.
import { IconBug, IconCalendarCheck, IconDatabaseImport, IconBooks, IconMessageQuestion, IconRadar2, IconRoute, IconServer2, IconSettings, IconTargetArrow, type Icon } from "@tabler/icons-react";

export type Place = { to: string; name: string; icon: Icon; key: string; about: string };

/** places are the lines of the navigation; key is what to press after g. */
export const places: Place[] = [
  { to: "/", name: "Today", icon: IconCalendarCheck, key: "t", about: "what to act on now" },
  { to: "/findings", name: "Findings", icon: IconBug, key: "f", about: "every weakness that was found" },
  { to: "/assets", name: "Assets", icon: IconServer2, key: "a", about: "hosts, services, software, sites" },
  { to: "/paths", name: "Paths", icon: IconRoute, key: "p", about: "how an attacker would walk, and what stops the walk" },
  { to: "/scans", name: "Scans", icon: IconRadar2, key: "s", about: "start one, watch it, compare two" },
  { to: "/import", name: "Import", icon: IconDatabaseImport, key: "i", about: "reports of other scanners" },
  { to: "/catalogue", name: "Catalogue", icon: IconBooks, key: "c", about: "all known vulnerabilities" },
  { to: "/threats", name: "Threats", icon: IconTargetArrow, key: "h", about: "exploited CVEs, ATT&CK, indicators, feeds" },
  { to: "/ask", name: "Ask", icon: IconMessageQuestion, key: "q", about: "questions about your exposure, answered with sources" },
  { to: "/settings", name: "Settings", icon: IconSettings, key: "e", about: "users, tokens, scope, sites, workers" },
];
