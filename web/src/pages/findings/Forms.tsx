// What people have to say before something is done to findings: why, until when, who, which labels. What concerns many
// findings says how many.
import { Alert, Button, Checkbox, Group, Modal, Radio, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { $api } from "../../api/client";
import { useMe } from "../../api/session";
import { count } from "../../ui/numbers";
import { act, most, sizeOf } from "./act";
import { nameOf } from "./columns";
import { needs, type Deed, type Reach, type TriageState } from "./deeds";
import { titles, type Act, type Target } from "./kinds";

type Props = { what: Act; target: Target; close: () => void; finish: () => void };

const about: Partial<Record<Act, string>> = {
  accepted: "Out of the list until the day that you name, then back. Rescans change nothing of it.",
  false_positive: "Out of the list for good, also when a scanner reports it again.",
  out_of_scope: "Nobody's to fix here: out of the list for good.",
  close: "For what is gone. It opens again by itself when a scanner sees it again.",
  comment: "It stands in the history, with your name. It cannot be changed later.",
  label: "Write -name to take one off.",
};

const isState = (what: Act): what is TriageState & Act => what === "accepted" || what === "false_positive" || what === "out_of_scope" || what === "confirmed" || what === "none";

/** Forms is the dialog of one deed. */
export function Forms({ what, target, close, finish }: Props) {
  const n = sizeOf(target);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const many = "filter" in target;
  const send = (deed: Deed) => {
    setBusy(true);
    void act(deed, target).then((did) => (did ? finish() : setBusy(false)));
  };
  const title = "rows" in target && n === 1 ? titles[what] : `${titles[what]}: ${count(n, "finding")}`;
  return (
    <Modal opened onClose={close} title={title} size="md" closeButtonProps={{ "aria-label": "Close" }} transitionProps={{ duration: 80 }}>
      {n > most ? (
        <p>These are {count(n, "finding")}. At most {most.toLocaleString()} can be changed at once: narrow the list first, by host, site or product.</p>
      ) : n === 0 ? (
        <p>Nothing is selected.</p>
      ) : (
        <>
          {"rows" in target && n === 1 && <p className="cut" style={{ fontWeight: 600, marginBottom: 4 }}>{nameOf(target.rows[0]!)}</p>}
          {about[what] && <p className="dim" style={{ marginBottom: 12 }}>{about[what]}</p>}
          {many && (
            <Alert color="orange" variant="light" mb={12} p={10}>
              This is done to all {count(n, "finding")} of the list, also to those that you have not scrolled to. Undo brings each back to what it was.
              <Checkbox mt={8} checked={sure} onChange={(e) => setSure(e.currentTarget.checked)} label={`Yes, to all ${n.toLocaleString()}`} />
            </Alert>
          )}
          <Fields what={what} single={n === 1 && !many} busy={busy} ready={!many || sure} send={send} close={close} />
        </>
      )}
    </Modal>
  );
}

const plus = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

type FieldsProps = { what: Act; single: boolean; busy: boolean; ready: boolean; send: (deed: Deed) => void; close: () => void };

function Fields({ what, single, busy, ready, send, close }: FieldsProps) {
  const [text, setText] = useState("");
  const [until, setUntil] = useState(what === "accepted" ? plus(90) : "");
  const [labels, setLabels] = useState<string[]>([]);
  const [scope, setScope] = useState<Reach>("finding");
  const need = isState(what) ? needs(what) : { reason: true, until: false };
  const given = what === "label" ? labels.length > 0 : what === "assign" ? true : (!need.reason || text.trim() !== "") && (!need.until || until !== "");
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (given && ready) send(deedOf(what, text.trim(), until, labels, scope));
  };
  return (
    <form onSubmit={submit} style={{ display: "grid", gap: 12 }}>
      {what === "assign" ? <Who text={text} setText={setText} /> : what === "label" ? (
        <TagsInput data-autofocus label="Labels" value={labels} onChange={setLabels} splitChars={[",", " "]} acceptValueOnBlur maxTags={50} placeholder="web" />
      ) : need.reason && (
        <Textarea data-autofocus label={what === "comment" ? "Comment" : "Why"} required autosize minRows={2} maxRows={8} maxLength={16384} value={text} onChange={(e) => setText(e.currentTarget.value)} placeholder={hint[what]} onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) submit(e); }} />
      )}
      {(need.until || what === "false_positive" || what === "out_of_scope") && <Until until={until} setUntil={setUntil} required={need.until} />}
      {single && isState(what) && need.reason && (
        <Radio.Group label="Where this holds" value={scope} onChange={(v) => setScope(v as Reach)}>
          <div style={{ display: "grid", gap: 6, marginTop: 4 }}>
            <Radio value="finding" label="This finding" />
            <Radio value="host" label="This weakness on this host, whatever the port" />
            <Radio value="everywhere" label="This weakness on every host, as a rule" />
          </div>
        </Radio.Group>
      )}
      <Group justify="flex-end" gap={8}>
        <Button variant="subtle" color="gray" onClick={close}>Cancel</Button>
        <Button type="submit" loading={busy} disabled={!given || !ready} data-autofocus={!need.reason || undefined}>{titles[what]}</Button>
      </Group>
    </form>
  );
}

const hint: Partial<Record<Act, string>> = { accepted: "Replaced in January; reachable only from the management network", false_positive: "The distribution has fixed it in this version", out_of_scope: "Belongs to a customer", close: "The host is switched off" };

function deedOf(what: Act, text: string, until: string, labels: string[], scope: Reach): Deed {
  if (what === "assign") return { do: "assign", to: text };
  if (what === "label") return { do: "label", label: labels };
  if (what === "comment") return { do: "comment", comment: text };
  if (what === "close") return { do: "close", reason: text };
  const need = needs(what);
  return { do: "triage", state: what, ...(need.reason ? { reason: text } : {}), ...(until ? { until } : {}), ...(scope !== "finding" ? { scope } : {}) };
}

function Until({ until, setUntil, required }: { until: string; setUntil: (day: string) => void; required: boolean }) {
  return (
    <div>
      <TextInput type="date" label={required ? "Until" : "Until (for good when empty)"} required={required} min={plus(1)} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
      <Group gap={6} mt={6}>
        {[30, 90, 180].map((d) => <Button key={d} variant={until === plus(d) ? "light" : "subtle"} size="compact-sm" onClick={() => setUntil(plus(d))}>{d} days</Button>)}
      </Group>
    </div>
  );
}

function Who({ text, setText }: { text: string; setText: (who: string) => void }) {
  const me = useMe();
  const known = $api.useQuery("get", "/api/v1/findings/groups", { params: { query: { by: "assignee", limit: 100 } } });
  const names = (known.data?.groups ?? []).flatMap((g) => (g.key ? [g.key] : []));
  return (
    <div>
      <TextInput data-autofocus label="To" value={text} onChange={(e) => setText(e.currentTarget.value)} placeholder="Nobody" maxLength={255} list="findings-people" autoComplete="off" />
      <datalist id="findings-people">{names.map((n) => <option key={n} value={n} />)}</datalist>
      <Group gap={6} mt={6}>
        <Button variant="subtle" size="compact-sm" onClick={() => setText(me.name)}>Me</Button>
        <Button variant="subtle" size="compact-sm" onClick={() => setText("")}>Nobody</Button>
      </Group>
    </div>
  );
}
