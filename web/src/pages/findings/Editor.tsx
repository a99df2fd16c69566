// Any filter of the API, chosen by name and filled in.
import { Button, Checkbox, Modal, NumberInput, Select, TagsInput, TextInput, UnstyledButton } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { $api } from "../../api/client";
import { plain } from "../../ui/inert";
import { fieldOf, groups, optionWord, type Field, type Filter, type FilterName } from "./fields";

type Props = { filter: Filter; change: (change: Partial<Filter>) => void; first: FilterName | null; close: () => void };

/** Editor is a list of filters, then the one that was chosen. */
export function Editor({ filter, change, first, close }: Props) {
  const [name, setName] = useState<FilterName | null>(first);
  const [text, setText] = useState("");
  const field = name ? fieldOf(name) : undefined;
  const words = text.toLowerCase();
  const choose = (f: Field) => {
    if (f.kind !== "yes") return setName(f.name);
    change(f.name === "potential" ? { potential: true, confirmed: undefined } : { [f.name]: true });
    close();
  };
  const found = groups
    .map((g) => ({ ...g, fields: g.fields.filter((f) => f.name !== "confirmed" && `${f.label} ${f.about ?? ""} ${g.title}`.toLowerCase().includes(words)) }))
    .filter((g) => g.fields.length > 0);
  return (
    <Modal opened onClose={close} title={field ? field.label : "Add a filter"} size={field ? "sm" : "lg"} closeButtonProps={{ "aria-label": "Close" }} transitionProps={{ duration: 80 }}>
      {field ? (
        <Value field={field} filter={filter} set={(value) => { change({ [field.name]: value }); close(); }} />
      ) : (
        <>
          <TextInput data-autofocus placeholder="Name of a filter" aria-label="Name of a filter" value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { const f = found[0]?.fields[0]; if (e.key === "Enter" && f) choose(f); }} mb={12} />
          <div className="fi-fields">
            {found.map((g) => (
              <section key={g.title}>
                <h3>{g.title}</h3>
                {g.fields.map((f) => (
                  <UnstyledButton key={f.name} className="fi-field" onClick={() => choose(f)} title={f.about} data-on={filter[f.name] !== undefined || undefined}>{f.label}</UnstyledButton>
                ))}
              </section>
            ))}
            {found.length === 0 && <p className="dim">No filter is called that.</p>}
          </div>
        </>
      )}
    </Modal>
  );
}

function Value({ field, filter, set }: { field: Field; filter: Filter; set: (value: unknown) => void }) {
  const [value, setValue] = useState<unknown>(field.name === "min_epss" && filter.min_epss !== undefined ? filter.min_epss * 100 : filter[field.name]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (value === "" || value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return set(undefined);
    set(field.name === "min_epss" ? Number(value) / 100 : typeof value === "string" ? value.trim() : value);
  };
  return (
    <form onSubmit={submit}>
      <Input field={field} value={value} setValue={setValue} />
      {field.about && <p className="dim" style={{ marginTop: 8 }}>{field.about}</p>}
      <Button type="submit" mt={14} fullWidth>Apply</Button>
    </form>
  );
}

function Input({ field, value, setValue }: { field: Field; value: unknown; setValue: (value: unknown) => void }) {
  const known = useKnown(field.name);
  const label = { "aria-label": field.label, "data-autofocus": true } as const;
  switch (field.kind) {
    case "some": {
      const chosen = (value as string[] | undefined) ?? [];
      return (
        <Checkbox.Group value={chosen} onChange={(v) => setValue(field.options.filter((o) => v.includes(o)))} aria-label={field.label}>
          <div style={{ display: "grid", gap: 8 }}>{field.options.map((o) => <Checkbox key={o} value={o} label={optionWord(field, o)} />)}</div>
        </Checkbox.Group>
      );
    }
    case "one":
      return <Select {...label} data={field.options.map((o) => ({ value: o, label: optionWord(field, o) }))} value={(value as string | undefined) ?? null} onChange={(v) => setValue(v ?? undefined)} clearable />;
    case "words":
      return <TagsInput {...label} data={known} value={(value as string[] | undefined) ?? []} onChange={(v) => setValue(field.digits ? v.filter((p) => /^\d{1,5}$/.test(p)) : v)} placeholder={field.example} splitChars={[",", " "]} maxTags={field.most} acceptValueOnBlur />;
    case "number":
      return <NumberInput {...label} min={field.from} max={field.to} step={field.step} decimalScale={field.name === "min_risk" ? 3 : field.name === "min_cvss" || field.name === "min_epss" ? 1 : 0} suffix={field.unit ? ` ${field.unit}` : undefined} value={(value as number | undefined) ?? ""} onChange={(v) => setValue(v === "" ? undefined : Number(v))} />;
    case "day":
      return <TextInput {...label} type="date" value={(value as string | undefined) ?? ""} onChange={(e) => setValue(e.currentTarget.value)} />;
    default: {
      const text = (value as string | undefined) ?? "";
      return (
        <>
          <TextInput {...label} list={known.length > 0 ? "findings-known" : undefined} value={text} maxLength={field.kind === "text" ? field.most : undefined} onChange={(e) => setValue(e.currentTarget.value)} placeholder={field.kind === "text" ? field.example : undefined} autoComplete="off" spellCheck={false} />
          <datalist id="findings-known">{known.map((k) => <option key={k} value={k} />)}</datalist>
          {field.kind === "text" && field.nobody && <Button variant="subtle" size="compact-sm" mt={8} onClick={() => setValue("nobody")}>Nobody</Button>}
        </>
      );
    }
  }
}

// What there is to choose from, where it is known.
function useKnown(name: FilterName): string[] {
  const sites = $api.useQuery("get", "/api/v1/sites", {}, { enabled: name === "site" });
  const scanners = $api.useQuery("get", "/api/v1/scanners", {}, { enabled: name === "scanner" });
  const by = name === "owner" || name === "assignee" || name === "product" ? name : "site";
  const group = $api.useQuery("get", "/api/v1/findings/groups", { params: { query: { by, limit: 100 } } }, { enabled: by === name && name !== "site" });
  if (name === "site") return (sites.data?.sites ?? []).map((s) => plain(s.name));
  if (name === "scanner") return (scanners.data?.scanners ?? []).map((s) => plain(s.name));
  return (group.data?.groups ?? []).flatMap((g) => (g.key ? [g.key] : []));
}
