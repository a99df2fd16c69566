// The filters of the catalogue that are not needed every day.
import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";

import type { Look } from "./search";

type Props = { look: Look; set: (change: Partial<Look>, how?: { replace?: boolean }) => void };

const texts = [
  ["vendor", "Vendor (as in CPE)", "openbsd"],
  ["product", "Product (as in CPE)", "openssh"],
  ["cpe", "CPE name", "cpe:2.3:a:openbsd:openssh:9.2"],
  ["cwe", "Weakness", "CWE-79"],
  ["technique", "ATT&CK technique", "T1190"],
] as const;

const days = [
  ["published_after", "Published on or after"],
  ["published_before", "Published before"],
  ["modified_after", "Changed on or after"],
  ["modified_before", "Changed before"],
] as const;

/** Further are those filters, in the same order as their words in the address. */
export function Further({ look, set }: Props) {
  return (
    <div className="cat-further" id="further" role="group" aria-label="More filters">
      {texts.map(([key, label, example]) => <Text key={key} label={label} example={example} value={look[key]} set={(v) => set({ [key]: v || undefined }, { replace: true })} />)}
      <Select label="CVSS at least" placeholder="any" clearable clearButtonProps={{ "aria-label": "Any CVSS" }} value={look.min_cvss || null} onChange={(v) => set({ min_cvss: v ?? "" })} data={withOwn(["4", "7", "8", "9", "9.8"], look.min_cvss).map((v) => ({ value: v, label: `${v} of 10` }))} />
      <Select label="EPSS at least" placeholder="any" clearable clearButtonProps={{ "aria-label": "Any EPSS" }} value={look.min_epss || null} onChange={(v) => set({ min_epss: v ?? "" })} data={withOwn(["0.01", "0.05", "0.1", "0.5", "0.9"], look.min_epss).map((v) => ({ value: v, label: `${Number((Number(v) * 100).toFixed(2))} %` }))} />
      <Select
        label="Exploit" placeholder="any or none" clearable clearButtonProps={{ "aria-label": "Any or no exploit" }} value={look.exploit || null} onChange={(v) => set({ exploit: (v ?? "") as Look["exploit"] })}
        data={[{ value: "any", label: "any" }, { value: "verified", label: "verified to work" }, { value: "exploitdb", label: "in Exploit-DB" }, { value: "metasploit", label: "in Metasploit" }, { value: "nuclei", label: "as Nuclei template" }, { value: "remote", label: "remote" }, { value: "local", label: "local" }, { value: "webapps", label: "web application" }, { value: "dos", label: "makes it stop" }]}
      />
      {days.map(([key, label]) => <TextInput key={key} type="date" label={label} value={look[key]} onChange={(e) => set({ [key]: e.currentTarget.value || undefined })} />)}
    </div>
  );
}

// A bound that somebody wrote into the address by hand stands in the list, too.
const withOwn = (usual: string[], own: string) => (own && !usual.includes(own) ? [...usual, own].sort((a, b) => Number(a) - Number(b)) : usual);

function Text({ label, example, value, set }: { label: string; example: string; value: string; set: (v: string) => void }) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(set, 250);
  useEffect(() => setText(value), [value]);
  return <TextInput label={label} placeholder={example} value={text} spellCheck={false} onChange={(e) => { setText(e.currentTarget.value); later(e.currentTarget.value.trim()); }} />;
}
