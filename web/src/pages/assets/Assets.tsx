// What is out there: hosts, what answers on them, what is installed on them, and from where they are looked at.
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";

import { useChosen } from "../../ui/chosen";
import { Page } from "../../ui/page";
import { Loading } from "../../ui/states";
import "./assets.css";
import { Hosts } from "./Hosts";
import { cleared, repair, tabs } from "./search";

const Services = lazy(() => import("./Inventory").then((m) => ({ default: m.Services })));
const Software = lazy(() => import("./Inventory").then((m) => ({ default: m.Software })));
const Sites = lazy(() => import("./Sites").then((m) => ({ default: m.Sites })));

const names = { hosts: "Hosts", services: "Services", software: "Software", sites: "Sites" } as const;

const abouts = {
  hosts: "Every machine that a scan or a report has seen, with who answers for it and what is open on it.",
  services: "What answers on the network, by product and version.",
  software: "What is installed, by package and version, out of reports and component lists (SBOM).",
  sites: "From where you look. Each site is an address space of its own: the same address in two sites is two hosts.",
} as const;

/** Assets is the page; its tab stands in the address. */
export function Assets() {
  const [look, set] = useChosen(repair);
  return (
    <Page title="Assets" about={abouts[look.tab]} wide={look.tab !== "sites"}>
      <Tabs value={look.tab} onChange={(tab) => set({ ...cleared, tab: tab === "hosts" ? undefined : (tab as typeof look.tab), sort: undefined })} keepMounted={false}>
        <Tabs.List aria-label="Kinds of assets">{tabs.map((t) => <Tabs.Tab key={t} value={t}>{names[t]}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value={look.tab} pt="md" className="assets-panel">
          <Suspense fallback={<div className="panel"><Loading rows={8} /></div>}>
            {look.tab === "hosts" && <Hosts look={look} set={set} />}
            {look.tab === "services" && <Services look={look} set={set} />}
            {look.tab === "software" && <Software look={look} set={set} />}
            {look.tab === "sites" && <Sites />}
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
