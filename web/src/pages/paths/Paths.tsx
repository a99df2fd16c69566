// How attackers would walk through the estate, and the fewest fixes that stop the walk.
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";

import { useChosen } from "../../ui/chosen";
import { Page } from "../../ui/page";
import { Loading } from "../../ui/states";
import "./paths.css";
import { repair, tabs, type Tab } from "./search";

const names: Record<Tab, string> = { paths: "Paths", map: "Map", setup: "Set-up" };

const parts = {
  paths: lazy(() => import("./Ways").then((m) => ({ default: m.Ways }))),
  map: lazy(() => import("./map/MapView").then((m) => ({ default: m.MapView }))),
  setup: lazy(() => import("./setup/Setup").then((m) => ({ default: m.Setup }))),
};

/** Paths is the page; its tab stands in the address. */
export function Paths() {
  const [{ tab }, choose] = useChosen(repair);
  const Part = parts[tab];
  const part = <Suspense fallback={<Loading rows={9} />}><Part /></Suspense>;
  return (
    <Page title="Attack paths" about="How an attacker would walk to the hosts that matter, and the fewest fixes that stop the walk." wide>
      <Tabs value={tab} onChange={(to) => choose({ tab: to === "paths" ? undefined : (to as Tab), path: "", step: undefined })} keepMounted={false} activateTabWithKeyboard={false}>
        <Tabs.List mb="md" aria-label="Attack paths">{tabs.map((t) => <Tabs.Tab key={t} value={t}>{names[t]}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value={tab}>{part}</Tabs.Panel>
      </Tabs>
    </Page>
  );
}
