// Every page has an address, and everything that is chosen on it stands in the address: reload, back and a link to a
// colleague show the same.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { base, Problem, queries } from "./api/client";
import { meQuery } from "./api/session";
import { Crash, Lost, Shell } from "./app/Shell";
import { Waiting } from "./app/Waiting";

/** Search is what stands behind the ? of an address, as text, numbers, truths or lists of them. Pages check their own. */
export type Search = Record<string, unknown>;

const asItIs = (search: Search) => search;

const root = createRootRoute({ errorComponent: Crash, notFoundComponent: Lost });

const signin = createRoute({ getParentRoute: () => root, path: "/signin", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/signin/SignIn"), "SignIn") });

// Everything else is for people who are signed in.
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      const me = await queries.ensureQueryData(meQuery);
      if (me.must_change) throw redirect({ to: "/signin", search: { to: location.href, change: true } });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) throw redirect({ to: "/signin", search: { to: location.href } });
      throw error;
    }
  },
});

const today = createRoute({ getParentRoute: () => inside, path: "/", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/today/Today"), "Today") });
const findings = createRoute({ getParentRoute: () => inside, path: "/findings", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/findings/Findings"), "Findings") });
const finding = createRoute({ getParentRoute: () => inside, path: "/findings/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/findings/Finding"), "FindingPage") });
const assets = createRoute({ getParentRoute: () => inside, path: "/assets", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/assets/Assets"), "Assets") });
const host = createRoute({ getParentRoute: () => inside, path: "/assets/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/assets/Host"), "HostPage") });
const paths = createRoute({ getParentRoute: () => inside, path: "/paths", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/paths/Paths"), "Paths") });
const scans = createRoute({ getParentRoute: () => inside, path: "/scans", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/scans/Scans"), "Scans") });
const scan = createRoute({ getParentRoute: () => inside, path: "/scans/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/scans/Scan"), "ScanPage") });
const compare = createRoute({ getParentRoute: () => inside, path: "/scans/$id/compare", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/scans/Compare"), "Compare") });
const imports = createRoute({ getParentRoute: () => inside, path: "/import", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/import/Import"), "Import") });
const importOne = createRoute({ getParentRoute: () => inside, path: "/import/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/import/Ledger"), "LedgerPage") });
const catalogue = createRoute({ getParentRoute: () => inside, path: "/catalogue", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/catalogue/Catalogue"), "Catalogue") });
const cve = createRoute({ getParentRoute: () => inside, path: "/catalogue/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/catalogue/CVE"), "CVEPage") });
const threats = createRoute({ getParentRoute: () => inside, path: "/threats", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/threats/Threats"), "Threats") });
const technique = createRoute({ getParentRoute: () => inside, path: "/threats/$id", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/threats/Technique"), "TechniquePage") });
const ask = createRoute({ getParentRoute: () => inside, path: "/ask", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/ask/Ask"), "Ask") });
const settings = createRoute({ getParentRoute: () => inside, path: "/settings", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/settings/Settings"), "Settings") });
const section = createRoute({ getParentRoute: () => inside, path: "/settings/$section", validateSearch: asItIs, component: lazyRouteComponent(() => import("./pages/settings/Settings"), "Settings") });

const tree = root.addChildren([
  signin,
  inside.addChildren([today, findings, finding, assets, host, paths, scans, scan, compare, imports, importOne, catalogue, cve, threats, technique, ask, settings, section]),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: base.pathname,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 150,
  defaultPendingComponent: Waiting,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
