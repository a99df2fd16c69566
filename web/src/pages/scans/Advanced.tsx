// What few need: folded until asked for.
import { NumberInput, Select, Textarea, TextInput } from "@mantine/core";

import { $api } from "../../api/client";
import { plain } from "../../ui/inert";
import type { Form } from "./targets";
import { nameOf } from "./words";

export function Advanced({ form, set, wrong }: { form: Form; set: (part: Partial<Form>) => void; wrong: Record<string, string> }) {
  const query = { kind: "scan" as const, status: "completed" as const, limit: 50, site: form.site || undefined };
  const scans = $api.useQuery("get", "/api/v1/scans", { params: { query } });
  return (
    <div style={{ display: "grid", gap: 12, paddingTop: 10 }}>
      <div className="grid-2">
        <TextInput label="Ports" description="In place of the depth's." placeholder="22,80,8000-8100" value={form.ports} onChange={(e) => set({ ports: e.currentTarget.value })} error={said(wrong.ports)} spellCheck={false} />
        <TextInput label="Ports to leave out" description="Printers on 9100, for example." placeholder="9100" value={form.excludePorts} onChange={(e) => set({ excludePorts: e.currentTarget.value })} error={said(wrong.exclude_ports)} spellCheck={false} />
      </div>
      <Textarea label="Targets to leave out" description="One per line." autosize minRows={2} maxRows={6} value={form.exclude} onChange={(e) => set({ exclude: e.currentTarget.value })} error={said(wrong.exclude)} spellCheck={false} />
      <div className="grid-2">
        <NumberInput label="Time limit of one tool's run" description="Minutes; empty is the configuration's." min={1} max={1440} allowDecimal={false} value={form.minutes ?? ""} onChange={(v) => set({ minutes: typeof v === "number" && v > 0 ? v : null })} error={said(wrong.timeout_s)} />
        <Select label="Baseline" description="A scan whose findings are not new." placeholder="None" clearable searchable value={form.baseline ? String(form.baseline) : null} onChange={(v) => set({ baseline: v ? Number(v) : null })} error={said(wrong.baseline)}
          data={(scans.data?.scans ?? []).map((s) => ({ value: String(s.id), label: `${s.id}: ${plain(nameOf(s))}` }))} />
      </div>
    </div>
  );
}

const said = (text: string | undefined) => (text ? plain(text) : undefined);
