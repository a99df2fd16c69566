// Ctrl-K: go to a page, a host, a CVE, a finding, a scan, or do something, by typing a part of its name.
import { Kbd, Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArrowRight, IconBug, IconBooks, IconMessageQuestion, IconRadar2, IconSearch, IconServer2 } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";

import { $api } from "../api/client";
import { useMay } from "../api/session";
import { Inert } from "../ui/inert";
import { places } from "./nav";

type Line = { id: string; group: string; icon: ReactNode; name: ReactNode; more?: ReactNode; go: () => void };

const few = { limit: 5 };

type Props = { close: () => void; ask: (question: string) => void };

/** Palette closes when something was chosen. ask gets what was typed when it is to be a question. */
export function Palette({ close, ask }: Props) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const lines = useLines(text.trim(), close, ask);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => setAt(0), [text]);
  // In braces: newer browsers answer a promise, which React would take for how to clean up.
  useEffect(() => {
    list.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const chosen = Math.min(at, lines.length - 1);
  const onKey = (e: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      e.preventDefault();
      setAt((chosen + step + lines.length) % Math.max(lines.length, 1));
    } else if (e.key === "Enter") {
      e.preventDefault();
      lines[chosen]?.go();
    }
  };
  return (
    <Modal opened onClose={close} withCloseButton={false} padding={0} size="lg" yOffset="12vh" centered={false} attributes={{ content: { "aria-label": "Search and go anywhere" } }} transitionProps={{ duration: 80 }}>
      <TextInput
        data-autofocus size="md" variant="unstyled" px={14} py={4} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={onKey}
        placeholder="A page, host, CVE, finding, scan …" aria-label="Search" leftSection={<IconSearch size={18} aria-hidden="true" />} leftSectionWidth={36}
        role="combobox" aria-expanded="true" aria-controls={id} aria-activedescendant={lines[chosen] ? `${id}-${chosen}` : undefined} autoComplete="off" spellCheck={false}
      />
      <div ref={list} id={id} role="listbox" aria-label="Results" style={{ borderTop: "1px solid var(--line)", maxHeight: "56vh", overflowY: "auto", padding: 6 }}>
        {lines.map((line, i) => (
          <div key={line.id} role="presentation">
            {line.group !== lines[i - 1]?.group && <div className="dim" style={{ padding: "8px 10px 3px", fontSize: "0.75rem", fontWeight: 600 }}>{line.group}</div>}
            <div
              id={`${id}-${i}`} data-at={i} role="option" aria-selected={i === chosen} onMouseMove={() => setAt(i)} onClick={line.go}
              style={{ display: "flex", alignItems: "center", gap: 10, padding: "7px 10px", borderRadius: 6, cursor: "pointer", background: i === chosen ? "var(--selected)" : undefined }}
            >
              {line.icon}
              <span className="cut" style={{ flex: 1 }}>{line.name}</span>
              {line.more && <span className="dim nowrap" style={{ fontSize: "0.75rem" }}>{line.more}</span>}
            </div>
          </div>
        ))}
        {lines.length === 0 && <div className="state" style={{ padding: 24 }} role="status">Nothing is called that.</div>}
      </div>
    </Modal>
  );
}

function useLines(text: string, close: () => void, ask: Props["ask"]): Line[] {
  const router = useRouter();
  const may = useMay("analyst");
  const [asked] = useDebouncedValue(text, 120);
  const on = asked.length >= 2;
  const hosts = $api.useQuery("get", "/api/v1/assets", { params: { query: { search: asked, ...few } } }, { enabled: on });
  const cves = $api.useQuery("get", "/api/v1/cves", { params: { query: { query: asked, ...few } } }, { enabled: on });
  const findings = $api.useQuery("get", "/api/v1/findings", { params: { query: { search: asked, ...few } } }, { enabled: on });
  const go = (to: string, search?: Record<string, unknown>) => () => {
    close();
    void router.navigate({ to, search });
  };
  const lines: Line[] = places
    .filter((p) => matches(text, p.name, p.about))
    .map((p) => ({ id: p.to, group: "Pages", icon: <p.icon size={17} stroke={1.7} />, name: p.name, more: <><Kbd size="xs">G</Kbd> <Kbd size="xs">{p.key.toUpperCase()}</Kbd></>, go: go(p.to) }));
  if (may && matches(text, "Start a scan", "new scan")) lines.push({ id: "new-scan", group: "Do", icon: <IconRadar2 size={17} stroke={1.7} />, name: "Start a scan", go: go("/scans", { start: true }) });
  const question: Line = {
    id: "ask", group: "Ask", icon: <IconMessageQuestion size={17} stroke={1.7} />, name: text ? <>Ask “<Inert text={text} />”</> : "Ask about what is on the screen", more: text ? undefined : <Kbd size="xs">Q</Kbd>,
    go: () => {
      close();
      ask(text);
    },
  };
  // Several words are more likely a question than a name.
  if (/\?$|\S\s+\S+\s+\S/.test(text)) lines.unshift(question);
  else lines.push(question);
  if (!on || text.length < 2) return lines;
  for (const h of hosts.data?.hosts ?? [])
    lines.push({ id: "host" + h.id, group: "Hosts", icon: <IconServer2 size={17} stroke={1.7} />, name: <><Inert text={h.address ?? h.hostnames[0] ?? String(h.id)} /> <span className="dim"><Inert text={h.hostnames[0] ?? ""} /></span></>, more: h.site, go: go(`/assets/${h.id}`) });
  for (const f of findings.data?.findings ?? [])
    lines.push({ id: "finding" + f.id, group: "Findings", icon: <IconBug size={17} stroke={1.7} />, name: <Inert text={f.title ?? f.cve ?? f.check} />, more: <Inert text={f.host} />, go: go(`/findings/${f.id}`) });
  if (findings.data && findings.data.total > few.limit)
    lines.push({ id: "all", group: "Findings", icon: <IconArrowRight size={17} stroke={1.7} />, name: `All ${findings.data.total.toLocaleString()} findings with “${text}”`, go: go("/findings", { search: text }) });
  for (const c of cves.data?.items ?? [])
    lines.push({ id: c.id, group: "CVEs", icon: <IconBooks size={17} stroke={1.7} />, name: <>{c.id} <span className="dim"><Inert text={c.title ?? ""} /></span></>, go: go(`/catalogue/${c.id}`) });
  return lines;
}

function matches(text: string, ...names: string[]): boolean {
  const words = text.toLowerCase().split(/\s+/);
  const all = names.join(" ").toLowerCase();
  return words.every((w) => all.includes(w));
}
