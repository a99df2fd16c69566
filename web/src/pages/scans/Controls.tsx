// What can be done with a scan: what fits where it stands, to those who may.
import { Button, Menu, Modal } from "@mantine/core";
import { IconArrowsDiff, IconDownload, IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconRepeat, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, base } from "../../api/client";
import { useMay } from "../../api/session";
import { failed, said } from "../../ui/said";
import { over, type Status } from "./live";
import { statusKey } from "./watch";
import { Withdraw } from "./Withdraw";
import { nameOf, stateOf } from "./words";

type Doing = "pause" | "resume" | "repeat" | "cancel";

function useDoing(scan: Status) {
  const id = scan.id;
  const [pausing, setPausing] = useState(false); // asked for, and not there yet: running tasks may end first
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState<Doing | null>(null);
  const run = async (what: Doing) => {
    setBusy(what);
    const init = { params: { path: { id } } };
    try {
      if (what === "repeat") {
        const { data } = await api.POST("/api/v1/scans/{id}/repeat", init);
        said(`The same is scanned again, as scan ${data!.scan_id}.`);
        await navigate({ to: "/scans/$id", params: { id: String(data!.scan_id) } });
        return;
      }
      const { data } = await api.POST(({ pause: "/api/v1/scans/{id}/pause", resume: "/api/v1/scans/{id}/resume", cancel: "/api/v1/scans/{id}/cancel" } as const)[what], init);
      client.setQueryData(statusKey(id), data);
      setPausing(what === "pause");
      if (what === "pause") said("It pauses when the tasks that are running have ended, in half a minute at the latest.");
    } catch (error) {
      failed(error, { pause: "It was not paused", resume: "It was not continued", repeat: "It was not repeated", cancel: "It was not cancelled" }[what]);
    } finally {
      setBusy(null);
    }
  };
  return { busy, pausing: pausing && !scan.paused && !over(scan), run };
}

export function Controls({ scan, stoppable }: { scan: Status; stoppable: boolean }) {
  const may = useMay("analyst");
  const { busy, pausing, run } = useDoing(scan);
  const [asked, ask] = useState<"cancel" | "delete" | null>(null);
  const navigate = useNavigate();
  const state = stateOf(scan);
  const ended = over(scan);
  const id = String(scan.id);
  return (
    <>
      {may && !ended && state !== "paused" && <Button variant="default" leftSection={<IconPlayerPause size={16} aria-hidden="true" />} loading={busy === "pause"} disabled={pausing} onClick={() => void run("pause")}>{pausing ? "Pauses soon" : "Pause"}</Button>}
      {may && (state === "paused" || state === "interrupted") && <Button leftSection={<IconPlayerPlay size={16} aria-hidden="true" />} loading={busy === "resume"} onClick={() => void run("resume")}>Continue</Button>}
      {may && !ended && <Button variant="default" leftSection={<IconPlayerStop size={16} aria-hidden="true" />} loading={busy === "cancel"} onClick={() => ask("cancel")}>Cancel</Button>}
      {ended && <Button variant="default" component={Link} to="/scans/$id/compare" params={{ id } as never} leftSection={<IconArrowsDiff size={16} aria-hidden="true" />}>Compare</Button>}
      {may && ended && scan.kind === "scan" && <Button leftSection={<IconRepeat size={16} aria-hidden="true" />} loading={busy === "repeat"} onClick={() => void run("repeat")}>Repeat</Button>}
      {ended && <Downloads id={id} />}
      {may && ended && <Button variant="default" leftSection={<IconTrash size={16} aria-hidden="true" />} onClick={() => ask("delete")}>Delete</Button>}
      {asked === "cancel" && (
        <Modal opened onClose={() => ask(null)} title={`Cancel scan ${id}?`} closeButtonProps={{ "aria-label": "Close" }}>
          <p>Its tools end within seconds. What it has found so far is kept; what it has not looked at stays as it was.</p>
          {stoppable && <p className="dim" style={{ marginTop: 8 }}>To go on later, pause it instead.</p>}
          <div style={{ display: "flex", gap: 8, justifyContent: "flex-end", marginTop: 18 }}>
            <Button variant="default" onClick={() => ask(null)} data-autofocus>Let it run</Button>
            <Button color="red.9" onClick={() => { ask(null); void run("cancel"); }}>Cancel the scan</Button>
          </div>
        </Modal>
      )}
      {asked === "delete" && <Withdraw kind="scan" id={scan.id} name={nameOf(scan)} close={() => ask(null)} done={() => void navigate({ to: "/scans", replace: true })} />}
    </>
  );
}

function Downloads({ id }: { id: string }) {
  const at = (path: string) => new URL(`api/v1/${path}`, base).href;
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target><Button variant="default" leftSection={<IconDownload size={16} aria-hidden="true" />}>Results</Button></Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={at(`scans/${id}/result`)} download={`scan-${id}.json`}>Everything, as JSON</Menu.Item>
        <Menu.Item component="a" href={at(`reports/${id}/export?format=csv`)} download={`scan-${id}.csv`}>Findings, as CSV</Menu.Item>
        <Menu.Item component="a" href={at(`reports/${id}/export?format=sarif`)} download={`scan-${id}.sarif`}>Confirmed findings, as SARIF</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
