// The form of a new scan: targets, and Start. All else has an answer already.
import { Button, Drawer, Select, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, Problem, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { messageOf } from "../../ui/states";
import { Advanced } from "./Advanced";
import { Profiles, Scanners } from "./Choices";
import { ScopeAnswers } from "./ScopeAnswers";
import { bodyOf, mostTargets, targetsOf, wrongOf, type Form } from "./targets";
import { profiles } from "./words";

type Props = { targets: string; profile: string; site: string; close: () => void };

export function Start(props: Props) {
  const may = useMay("analyst");
  return (
    <Drawer.Root opened onClose={props.close} position="right" size={560}>
      <Drawer.Overlay />
      <Drawer.Content>
        <Drawer.Header role="none">
          <Drawer.Title>New scan</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </Drawer.Header>
        <Drawer.Body>{may ? <StartForm {...props} /> : <p>You may look at scans. Ask an analyst or an administrator to start one.</p>}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

/** useScope asks what would happen to the targets, half a second after the last key. */
function useScope(targets: string[], site: string) {
  const [asked] = useDebouncedValue(targets.join("\n"), 400);
  const list = asked ? asked.split("\n").slice(0, mostTargets) : [];
  const answer = useQuery({
    queryKey: ["scope-check", site, asked],
    queryFn: async ({ signal }) => (await api.POST("/api/v1/scope/check", { body: { targets: list, site: site || undefined }, signal })).data!,
    enabled: list.length > 0,
    placeholderData: (old) => old,
    retry: false,
    staleTime: 30_000,
  });
  const settled = asked === targets.join("\n") && !answer.isFetching && !answer.isPlaceholderData;
  return { check: list.length ? answer.data : undefined, settled, error: answer.error, refetch: answer.refetch };
}

function StartForm({ targets, profile, site, close }: Props) {
  const navigate = useNavigate();
  const scanners = $api.useQuery("get", "/api/v1/scanners", {}, { staleTime: 30_000 });
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const usual = (scanners.data?.scanners ?? []).filter((s) => s.default).map((s) => s.name);
  const [form, setForm] = useState<Form>(() => ({
    targets: targets.split(",").join("\n"), profile: profiles.find((p) => p.name === profile)?.name ?? "standard", scanners: [], site,
    ports: "", exclude: "", excludePorts: "", minutes: null, baseline: null,
  }));
  const [touched, touch] = useState(false); // the choice of scanners; until then it is the configuration's
  const [more, setMore] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));
  const chosen = { ...form, scanners: touched ? form.scanners : usual };
  const lines = targetsOf(form.targets);
  const scope = useScope(lines, form.site);
  const wrong = error instanceof Problem ? wrongOf(error.fields) : {};
  const stop = why(lines, chosen.scanners, scanners.isSuccess, scope);

  const start = async () => {
    if (busy || stop) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await api.POST("/api/v1/scans/initiate", { body: bodyOf(chosen, usual) });
      await navigate({ to: "/scans/$id", params: { id: String(data!.scan_id) } });
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
      if (refusal instanceof Problem && Object.keys(wrongOf(refusal.fields)).some((k) => /ports|exclude|timeout|baseline/.test(k))) setMore(true);
    }
  };

  return (
    <form className="form" onSubmit={(e) => { e.preventDefault(); void start(); }} onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void start(); } }}>
      <div>
        <Textarea label="Targets" description="One per line: an address, a network (10.0.0.0/24), a range (10.0.0.1-20), a name or a URL." autosize minRows={3} maxRows={10} data-autofocus
          value={form.targets} onChange={(e) => set({ targets: e.currentTarget.value })} placeholder={"192.168.1.0/24\nwww.example.org"} error={wrong.targets && plain(wrong.targets)}
          spellCheck={false} autoCapitalize="off" autoCorrect="off" styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />
        <ScopeAnswers check={scope.check} error={scope.error} settled={scope.settled} asked={lines.length} recheck={() => void scope.refetch()}
          leaveOut={(refused) => set({ targets: lines.filter((l) => !refused.includes(l)).join("\n") })} />
      </div>
      <Profiles value={form.profile} onChange={(p) => set({ profile: p })} />
      <Scanners query={scanners} value={chosen.scanners} error={wrong.scanners} onChange={(list) => { touch(true); set({ scanners: list }); }} />
      {(sites.data?.sites.length ?? 0) > 1 && <SiteChoice sites={sites.data!.sites} value={form.site} error={wrong.site} onChange={(v) => set({ site: v })} />}
      <div>
        <Button variant="subtle" color="gray" px={4} size="compact-sm" aria-expanded={more} onClick={() => setMore(!more)}
          leftSection={more ? <IconChevronDown size={15} aria-hidden="true" /> : <IconChevronRight size={15} aria-hidden="true" />}>
          Ports, exclusions, time limit, baseline
        </Button>
        {more && <Advanced form={form} set={set} wrong={wrong} />}
      </div>
      <div className="form-foot">
        <Button type="submit" loading={busy} disabled={stop !== null}>Start the scan</Button>
        <Button variant="default" onClick={close}>Close</Button>
        <span className="grow" role="status">{error && (!(error instanceof Problem) || !error.fields.length || wrong[""]) ? <span className="bad">{plain(messageOf(error))}</span> : <span className="dim">{stop ?? "Ctrl and Enter start it, too."}</span>}</span>
      </div>
    </form>
  );
}

/** why the scan cannot be started now; null where nothing is in its way. */
function why(lines: string[], scanners: string[], known: boolean, scope: { check: Schema<"ScopeCheck"> | undefined; settled: boolean }): string | null {
  if (lines.length === 0) return "Name at least one target.";
  if (lines.length > mostTargets) return `${count(lines.length, "target")}: a scan takes ${mostTargets.toLocaleString()}.`;
  if (known && scanners.length === 0) return "Choose at least one scanner.";
  if (scope.settled && scope.check && !scope.check.allowed) return "Some targets cannot be scanned.";
  return null;
}

function SiteChoice({ sites, value, error, onChange }: { sites: Schema<"Site">[]; value: string; error: string | undefined; onChange: (v: string) => void }) {
  return (
    <Select label="Site" description="Where the scan looks from: the same address in two sites is two hosts." allowDeselect={false} value={value || "default"} onChange={(v) => onChange(v ?? "")} error={error}
      data={sites.map((s) => ({ value: s.name, label: plain(s.name) + (s.external ? " (sees what the internet sees)" : "") }))} />
  );
}
