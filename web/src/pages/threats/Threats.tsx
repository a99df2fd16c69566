// What attackers use, and how it meets one's own hosts: exploited CVEs, techniques, indicators, and the feeds that say so.
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";

import { useChosen } from "../../ui/chosen";
import { Page } from "../../ui/page";
import { Loading } from "../../ui/states";
import { repair, tabs, type Tab } from "./search";
import "./threats.css";

const names: Record<Tab, string> = { exploited: "Exploited", attack: "ATT&CK", indicators: "Indicators", feeds: "Feeds" };

const parts = {
  exploited: lazy(() => import("./Exploited").then((m) => ({ default: m.Exploited }))),
  attack: lazy(() => import("./Matrix").then((m) => ({ default: m.Matrix }))),
  indicators: lazy(() => import("./Indicators").then((m) => ({ default: m.Indicators }))),
  feeds: lazy(() => import("./Feeds").then((m) => ({ default: m.Feeds }))),
};

export function Threats() {
  const [{ tab }, choose] = useChosen(repair);
  const Part = parts[tab];
  // A tab begins without the filters of another.
  const go = (to: string | null) => choose({ tab: to as Tab, q: "", skip: undefined, after: "", mine: false, kind: undefined, order: undefined, ransomware: false, source: "", threat: "", active: false, feed: "", run: undefined, before: undefined });
  return (
    <Page title="Threats" about="What attackers use, and whether it touches your hosts." wide>
      <Tabs value={tab} onChange={go} keepMounted={false} activateTabWithKeyboard={false}>
        <Tabs.List className="threats-tabs" mb="md" aria-label="Threats">
          {tabs.map((t) => <Tabs.Tab key={t} value={t}>{names[t]}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          <Suspense fallback={<Loading rows={9} />}>
            <Part />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
