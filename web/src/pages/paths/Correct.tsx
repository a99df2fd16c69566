// Who knows better than a rule says so: a step that never works, that always does, or how likely it is. It is remembered.
import { Button, Group, Modal, NumberInput, Radio, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState, type FormEvent } from "react";

import { api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { percent } from "../../ui/numbers";
import { failed, said } from "../../ui/said";
import { renew } from "./ask";
import type { PathStep } from "./kinds";

type Says = "never" | "always" | "chance";

/** Correct is the button of a step, and its dialog. */
export function Correct({ step }: { step: PathStep }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="pa-link pa-small" onClick={() => setOpen(true)}>Correct this<span className="sr">: step {step.n}</span></button>
      {open && <Dialog step={step} close={() => setOpen(false)} />}
    </>
  );
}

function Dialog({ step, close }: { step: PathStep; close: () => void }) {
  const [says, setSays] = useState<Says>("never");
  const [chance, setChance] = useState<string | number>(Math.round(step.chance * 100));
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const share = Number(chance) / 100;
  const ready = says !== "chance" || (chance !== "" && share > 0 && share <= 1);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!ready) return;
    setBusy(true);
    void correct(step.edge, says, says === "chance" ? share : null, note.trim()).then((did) => (did ? close() : setBusy(false)));
  };
  return (
    <Modal opened onClose={close} title="Correct this step" size="md" closeButtonProps={{ "aria-label": "Close" }} transitionProps={{ duration: 80 }}>
      <form onSubmit={submit} style={{ display: "grid", gap: 12 }}>
        <p><Inert text={step.says} /> <span className="dim">So far: {percent(step.chance)}.</span></p>
        <Radio.Group label="What is true" value={says} onChange={(v) => setSays(v as Says)}>
          <div style={{ display: "grid", gap: 6, marginTop: 4 }}>
            <Radio value="never" label="It never works" description="It is filtered, patched by hand, or not there." data-autofocus />
            <Radio value="always" label="It always works" description="Somebody has tried it." />
            <Radio value="chance" label="It works with this chance" />
          </div>
        </Radio.Group>
        {says === "chance" && <NumberInput label="Chance" suffix=" %" min={1} max={100} decimalScale={1} value={chance} onChange={setChance} />}
        <Textarea label="Why" description="It stands beside the correction, with your name." autosize minRows={2} maxRows={6} maxLength={2000} value={note} onChange={(e) => setNote(e.currentTarget.value)} placeholder="The firewall drops it; seen in the rules of October" />
        <p className="dim pa-small">It holds for every path over this step, also after the next scan, until somebody takes it back.</p>
        <Group justify="flex-end" gap={8}>
          <Button variant="subtle" color="gray" onClick={close}>Cancel</Button>
          <Button type="submit" loading={busy} disabled={!ready}>Keep it</Button>
        </Group>
      </form>
    </Modal>
  );
}

async function correct(edge: string, says: Says, chance: number | null, note: string): Promise<boolean> {
  try {
    const { data } = await api.POST("/api/v1/attack-paths/corrections", { body: { edge, says, note, ...(chance === null ? {} : { chance }) } });
    undoable("The step is corrected; paths are worked out anew.", data!.id);
    return true;
  } catch (error) {
    failed(error, "It was not corrected");
    return false;
  } finally {
    void renew();
  }
}

function undoable(message: string, id: number) {
  const back = () => {
    notifications.hide(toast);
    api.DELETE("/api/v1/attack-paths/corrections/{id}", { params: { path: { id } } }).then(() => said("Taken back."), (error: unknown) => failed(error, "It could not be taken back")).finally(() => void renew());
  };
  const toast = notifications.show({
    color: "teal", autoClose: 10_000,
    message: <span style={{ display: "flex", alignItems: "center", gap: 12, justifyContent: "space-between" }}><span>{message}</span><Button variant="default" size="compact-sm" onClick={back}>Undo</Button></span>,
  });
}
