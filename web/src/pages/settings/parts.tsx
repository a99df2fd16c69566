// What several parts of the settings are made of: asking before something dangerous, showing a secret once, commands.
import { Button, CopyButton, Modal, TextInput } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";

import { Inert, plain } from "../../ui/inert";

const closing = { "aria-label": "Close" };

/** Dialog is a small window with a form in it. */
export function Dialog({ title, close, children, size = "md" }: { title: string; close: () => void; children: ReactNode; size?: string }) {
  return <Modal opened onClose={close} title={title} size={size} closeButtonProps={closing}>{children}</Modal>;
}

/** Form stands in a Dialog: its fields, and what to do with them. */
export function Form({ submit, label, busy, close, children, disabled }: { submit: () => void; label: string; busy: boolean; close: () => void; children: ReactNode; disabled?: boolean }) {
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    if (!disabled && !busy) submit();
  };
  return (
    <form onSubmit={onSubmit} className="settings-form">
      {children}
      <div className="settings-buttons">
        <Button variant="default" onClick={close} disabled={busy}>Cancel</Button>
        <Button type="submit" loading={busy} disabled={disabled}>{label}</Button>
      </div>
    </form>
  );
}

/** Sure asks before something that cannot simply be taken back; typed is what has to be typed for it. */
export function Sure({ title, children, label, typed, act, close }: { title: string; children: ReactNode; label: string; typed?: string; act: () => Promise<boolean>; close: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    const done = await act();
    setBusy(false);
    if (done) close();
  };
  const missing = typed !== undefined && text.trim() !== typed;
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={(e) => void run(e)} className="settings-form">
        <div>{children}</div>
        {typed !== undefined && <TextInput data-autofocus label={<>Type <Inert text={typed} mono /> to go on</>} value={text} onChange={(e) => setText(e.currentTarget.value)} autoComplete="off" spellCheck={false} />}
        <div className="settings-buttons">
          <Button variant="default" onClick={close} disabled={busy} data-autofocus={typed === undefined ? true : undefined}>Cancel</Button>
          <Button type="submit" color="red" loading={busy} disabled={missing}>{label}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Once shows a secret that cannot be shown again. Whoever keeps it forgets it when it closes. */
export function Once({ title, secret, says, close, children }: { title: string; secret: string; says: ReactNode; close: () => void; children?: ReactNode }) {
  return (
    <Modal opened onClose={close} title={title} size="lg" closeOnClickOutside={false} closeButtonProps={closing}>
      <div className="settings-form">
        <div>{says}</div>
        <Command text={secret} label="Copy" name={title} />
        {children}
        <div className="settings-buttons"><Button onClick={close}>I have kept it</Button></div>
      </div>
    </Modal>
  );
}

/** Command is a text to copy as it is. */
export function Command({ text, name, label = "Copy" }: { text: string; name: string; label?: string }) {
  return (
    <div className="settings-command">
      <pre tabIndex={0} aria-label={name}>{plain(text)}</pre>
      <CopyButton value={text} timeout={2000}>
        {({ copied, copy }) => <Button size="xs" variant="default" onClick={copy} aria-label={`${label}: ${name}`}><span aria-live="polite">{copied ? "Copied" : label}</span></Button>}
      </CopyButton>
    </div>
  );
}
