import { Button, PasswordInput } from "@mantine/core";
import { useId, useState, type FormEvent } from "react";

import { api, Problem, type Schema } from "../../api/client";
import { sentence } from "./Login";
import { strengthOf, type Strength } from "./strength";

type Props = { me: Schema<"Me">; typed: string | null; done: (me: Schema<"Me">) => void; cancel: (() => void) | null };

/** Change gives a user a password of his own choice. */
export function Change({ me, typed, done, cancel }: Props) {
  const [current, setCurrent] = useState(typed ?? "");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const hint = useId();
  const strength = strengthOf(next, me.name);
  const other = again !== "" && again !== next && (tried || again.length >= next.length);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setTried(true);
    if (busy || strength.level === 0 || next !== again) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await api.POST("/api/v1/auth/password", { body: { current, password: next } });
      done(data!);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className="door-form" aria-label="Change password">
      <p className="dim">{me.must_change ? "The password that you signed in with was made for you, and is good for this one step." : "All your other sessions end; this one goes on. Tokens stay."}</p>
      {error !== null && <div className="door-word" data-kind="bad" role="alert">{refusal(error)}</div>}
      {/* password managers keep the new password with the name that they find here */}
      <input type="text" name="username" autoComplete="username" value={me.name} readOnly hidden />
      {typed === null && (
        <PasswordInput label="Present password" name="current" autoComplete="current-password" size="md" required withAsterisk={false} maxLength={1024} autoFocus
          value={current} onChange={(e) => setCurrent(e.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show the present password", tabIndex: 0 }} />
      )}
      <div>
        <PasswordInput label="New password" name="new" autoComplete="new-password" size="md" required withAsterisk={false} maxLength={1024} minLength={8} autoFocus={typed !== null} aria-describedby={hint}
          value={next} onChange={(e) => setNext(e.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show the new password", tabIndex: 0 }} />
        <Meter strength={strength} id={hint} />
      </div>
      <PasswordInput label="New password, once more" name="again" autoComplete="new-password" size="md" required withAsterisk={false} maxLength={1024}
        value={again} onChange={(e) => setAgain(e.currentTarget.value)} error={other ? "The two are not the same." : undefined} visibilityToggleButtonProps={{ "aria-label": "Show the repeated password", tabIndex: 0 }} />
      <Button type="submit" size="md" loading={busy} fullWidth>{me.must_change ? "Save and go on" : "Change password"}</Button>
      {cancel && <Button variant="subtle" color="gray" onClick={cancel} fullWidth>Leave it as it is</Button>}
    </form>
  );
}

/** Meter says how good the password is: in words, and by how many of four parts are filled. */
function Meter({ strength, id }: { strength: Strength; id: string }) {
  return (
    <div className="door-meter">
      <div aria-hidden="true" data-level={strength.level}>{[1, 2, 3, 4].map((n) => <span key={n} data-on={n <= strength.level || undefined} />)}</div>
      <p id={id} aria-live="polite">{strength.says}</p>
    </div>
  );
}

function refusal(error: unknown): string {
  if (error instanceof Problem && error.status === 401) return "Your session has ended. Load this page again and sign in.";
  if (error instanceof Problem && error.status === 403) return `Not changed: ${error.message}.`;
  if (error instanceof Problem && /^current\b/.test(error.message)) return "Not changed: that is not your present password.";
  return sentence(error);
}
