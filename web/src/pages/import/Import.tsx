// Reports of other scanners: drop them, see what becomes of every record, take one back.
import { Checkbox, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";

import { $api } from "../../api/client";
import { useMay, useSystem } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Page, Panel } from "../../ui/page";
import { said } from "../../ui/said";
import { Drop } from "./Drop";
import { Imports } from "./Imports";
import { Queue } from "./Queue";
import { importSearch, type ImportSearch } from "./search";
import { add } from "./uploads";
import "../scans/scans.css";
import "./import.css";

export function Import() {
  const [chosen, choose] = useChosen(importSearch);
  const [host, setHost] = useState("");
  const may = useMay("analyst");
  const system = useSystem();
  const most = system.data?.max_upload_bytes;
  const choice = { tool: chosen.tool, site: chosen.site, host: host.trim(), full: chosen.full };
  return (
    <Page title="Import" about="Reports of other scanners become findings like any other: merged, judged, explained." wide>
      {may && (
        <Panel>
          <div className="import-grid">
            <Drop most={most} take={({ files, left }) => {
              add(files, choice, most);
              if (left > 0) said(`${count(left, "hidden or surplus file")} left out.`);
            }} />
            <Options chosen={chosen} choose={choose} host={host} setHost={setHost} tools={system.data?.tools ?? []} />
          </div>
        </Panel>
      )}
      <Queue choice={choice} />
      <Imports chosen={chosen} choose={choose} may={may} />
    </Page>
  );
}

export type Choose = (change: Partial<ImportSearch>, how?: { replace?: boolean }) => void;

function Options({ chosen, choose, host, setHost, tools }: { chosen: ImportSearch; choose: Choose; host: string; setHost: (h: string) => void; tools: string[] }) {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  return (
    <div className="import-options">
      <Select label="Tool" allowDeselect={false} searchable value={chosen.tool} onChange={(v) => choose({ tool: v ?? "" }, { replace: true })} data={[{ value: "", label: "Recognise each file by itself" }, ...tools]} />
      {(names.length > 1 || chosen.site) && (
        <Select label="Site" description="Where the reports were made from." allowDeselect={false} value={chosen.site || "default"} onChange={(v) => choose({ site: v ?? "" }, { replace: true })} data={names.map((n) => ({ value: n, label: plain(n) }))} />
      )}
      <TextInput label="Host of records that name none" description="For reports on code or images. Else it is the file's name." value={host} onChange={(e) => setHost(e.currentTarget.value)} placeholder="build-server" spellCheck={false} />
      <Checkbox label="The reports cover everything their tool looks for" checked={chosen.full} onChange={(e) => choose({ full: e.currentTarget.checked }, { replace: true })} />
      {chosen.full && (
        <div className="note" role="note">
          <IconAlertTriangle size={16} aria-hidden="true" />
          <span>By your word, what these reports do not show is closed on their hosts as fixed. Only say so of complete scans with the same settings as before; a filtered report would hide what is still there.</span>
        </div>
      )}
    </div>
  );
}
