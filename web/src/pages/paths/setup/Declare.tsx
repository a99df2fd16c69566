// Declaring a policy: a file or its text, and what the server says against it beside the line that it is about.
import { Button, FileButton, Modal, Textarea } from "@mantine/core";
import { useMemo, useRef, useState, type FormEvent } from "react";

import { Problem, send } from "../../../api/client";
import { Inert, plain } from "../../../ui/inert";
import { said } from "../../../ui/said";
import { messageOf } from "../../../ui/states";
import { complaintsOf, example, fileNameOf, isDeclared, looksLikeTable, unseenIn, yamlOf, type Complaint, type Policy } from "./policy";
import { anew } from "./undo";

const most = 1 << 20; // bytes, as the server takes them

export function Declare({ now, close }: { now: Policy; close: () => void }) {
  const [text, setText] = useState(isDeclared(now) ? yamlOf(now) : "");
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<Complaint[]>([]);
  const [busy, setBusy] = useState(false);
  const unseen = useMemo(() => unseenIn(text), [text]);
  const area = useRef<HTMLTextAreaElement>(null);
  const take = async (file: File | null) => {
    if (!file) return;
    if (file.size > most) return setWrong([{ line: 0, says: `${file.name} has more than 1 MiB.` }]);
    setText(await file.text());
    setName(file.name);
    setWrong([]);
  };
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    try {
      const kind = looksLikeTable(text) ? "text/csv" : "text/yaml";
      await send(`api/v1/attack-paths/policy?filename=${encodeURIComponent(fileNameOf(text, name).slice(-255))}`, { method: "PUT", headers: { "Content-Type": kind }, body: text });
      said("The policy is in force; paths are worked out anew.");
      void anew();
      close();
    } catch (error) {
      const found = error instanceof Problem && error.status === 422 ? complaintsOf(error.message, text) : [{ line: 0, says: messageOf(error) }];
      setWrong(found);
      if (found[0]!.line > 0) goTo(area.current, text, found[0]!.line);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title="Declare the network policy" size="xl" closeButtonProps={{ "aria-label": "Close" }} transitionProps={{ duration: 80 }}>
      <form className="ps-declare" onSubmit={(e) => void submit(e)}>
        <div className="ps-acts">
          <FileButton accept=".yaml,.yml,.csv,.json,text/yaml,text/csv,application/json" onChange={(f) => void take(f)}>{(props) => <Button {...props} variant="default" size="xs">Choose a file …</Button>}</FileButton>
          <Button variant="subtle" size="xs" onClick={() => { setText(example); setName(""); setWrong([]); }}>Begin with the example</Button>
          {name && <span className="dim"><Inert text={name} /></span>}
        </div>
        <Textarea ref={area} label="The file, YAML or CSV" description="It takes the place of the one in force. Where anything in it is wrong, nothing is changed." value={text} onChange={(e) => { setText(e.currentTarget.value); setWrong([]); }} rows={14} spellCheck={false} autoComplete="off" classNames={{ input: "ps-text" }} data-autofocus />
        {unseen.length > 0 && <p className="ps-unseen" role="status">The file has characters that cannot be seen: {unseen.slice(0, 3).map((u) => `${u.names.join(", ")} in line ${u.line}`).join("; ")}{unseen.length > 3 && `; and in ${unseen.length - 3} more lines`}.</p>}
        <div aria-live="assertive">{wrong.length > 0 && <Complaints all={wrong} text={text} go={(line) => goTo(area.current, text, line)} />}</div>
        <div className="ps-acts ps-end">
          <Button variant="default" onClick={close} disabled={busy}>Cancel</Button>
          <Button type="submit" loading={busy} disabled={text.trim() === ""}>Put it in force</Button>
        </div>
      </form>
    </Modal>
  );
}

/** Complaints stand with the lines around what they are about. */
function Complaints({ all, text, go }: { all: Complaint[]; text: string; go: (line: number) => void }) {
  const lines = text.split("\n");
  return (
    <ul className="ps-wrong" aria-label="What is wrong with the file">
      {all.map((c, i) => (
        <li key={i}>
          {c.line > 0 && <button type="button" className="pa-link" onClick={() => go(c.line)}>Line {c.line}</button>} <Inert text={c.says} />
          {c.line > 0 && (
            <pre tabIndex={0} aria-label={`The file around line ${c.line}`}>
              {[c.line - 1, c.line, c.line + 1].filter((n) => n >= 1 && n <= lines.length).map((n) => <span key={n} className="ps-near" data-at={n === c.line || undefined}><span className="num">{n}</span>{plain(lines[n - 1]!.slice(0, 300))}{"\n"}</span>)}
            </pre>
          )}
        </li>
      ))}
    </ul>
  );
}

function goTo(area: HTMLTextAreaElement | null, text: string, line: number) {
  if (!area) return;
  const lines = text.split("\n");
  const at = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  area.focus();
  area.setSelectionRange(at, at + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, ((line - 4) * area.scrollHeight) / Math.max(1, lines.length));
}
