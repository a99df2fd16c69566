// What narrows the lists of assets.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type ReactNode } from "react";

import { $api } from "../../api/client";
import { plain } from "../../ui/inert";
import type { Set } from "./Hosts";
import { type Look } from "./search";

type Props = { look: Look; set: Set; what: "hosts" | "services" | "software"; actions?: ReactNode };

const hints = { hosts: "Address, name or system  ( / )", services: "Product, version or service  ( / )", software: "Package or version  ( / )" };

/** Filters stand above a list; what they say stands in the address. */
export function Filters({ look, set, what, actions }: Props) {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { staleTime: 60_000 });
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  const any = look.q || look.site || look.owner || look.tag || look.criticality || look.port || look.product;
  return (
    <div className="assets-filters">
      <Words key={what} label={`Search ${what}`} hint={hints[what]} value={look.q} set={(q) => set({ q: q || undefined }, { replace: true })} className="assets-words" filter />
      {(names.length > 1 || look.site) && <NativeSelect aria-label="Site" value={look.site} onChange={(e) => set({ site: e.currentTarget.value || undefined })} data={[{ value: "", label: "All sites" }, ...names.map((n) => ({ value: n, label: plain(n) })), ...(look.site && !names.includes(look.site) ? [look.site] : [])]} />}
      {what === "hosts" && (
        <>
          <NativeSelect aria-label="Criticality" value={look.criticality} onChange={(e) => set({ criticality: (e.currentTarget.value || undefined) as Look["criticality"] | undefined })} data={[{ value: "", label: "Any criticality" }, "critical", "high", "medium", "low", "minimal"]} />
          <Words label="Owner" hint="Owner" value={look.owner} set={(owner) => set({ owner: owner || undefined }, { replace: true })} />
          <Words label="Tag" hint="Tag" value={look.tag} set={(tag) => set({ tag: tag || undefined }, { replace: true })} />
        </>
      )}
      {what === "services" && <Words label="Port" hint="Port" value={look.port} set={(port) => set({ port: port || undefined }, { replace: true })} />}
      {any && <Button variant="subtle" size="compact-md" fz="sm" fw={500} onClick={() => set({ q: undefined, site: undefined, owner: undefined, tag: undefined, criticality: undefined, port: undefined, product: undefined })}>Clear</Button>}
      {actions && <div className="assets-actions">{actions}</div>}
    </div>
  );
}

// What is typed stands in the field at once and in the address a moment later.
function Words({ label, hint, value, set, className, filter }: { label: string; hint: string; value: string; set: (v: string) => void; className?: string; filter?: boolean }) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(set, 130);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      type="search" aria-label={label} placeholder={hint} value={text} className={className ?? "assets-short"} spellCheck={false} maxLength={255} data-filter={filter || undefined}
      leftSection={filter ? <IconSearch size={16} aria-hidden="true" /> : undefined} onChange={(e) => { setText(e.currentTarget.value); later(e.currentTarget.value); }}
    />
  );
}
