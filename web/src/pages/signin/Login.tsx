import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useLayoutEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";

import { api, base, Problem, type Schema } from "../../api/client";
import { messageOf } from "../../ui/states";

type Ways = Schema<"LoginWays">;

type Props = { ways: Ways; to: string; ended: boolean; refused: string | null; enter: (me: Schema<"Me">, password: string) => void };

/** Login takes a name and a password, or leads to the provider that the server trusts. */
export function Login({ ways, to, ended, refused, enter }: Props) {
  return (
    <div className="door-form">
      {ended && <p className="door-word" role="status">Your session has ended. Sign in, and you are back where you were.</p>}
      {refused && <p className="door-word" data-kind="bad" role="alert">The sign-in was refused: {refused}</p>}
      {ways.fresh && <FirstStart />}
      {ways.oidc !== null && <Provider name={ways.oidc} to={to} alone={!ways.password} />}
      {ways.oidc !== null && ways.password && <div className="door-or" role="separator"><span>or</span></div>}
      {ways.password && <ByPassword fresh={ways.fresh} enter={enter} />}
      {ways.password && <Lost />}
    </div>
  );
}

function FirstStart() {
  return (
    <div className="door-word" role="note">
      <p><strong>First start.</strong> The server has made the user <code>admin</code> and printed a password, once, on its terminal or in its log. Sign in with it; then you choose your own, and the printed one is worth nothing any more.</p>
      <p>After that, Today shows the first three steps.</p>
    </div>
  );
}

function Provider({ name, to, alone }: { name: string; to: string; alone: boolean }) {
  const address = new URL("api/v1/auth/oidc/login", base);
  address.searchParams.set("target", to.slice(0, 500));
  return <Button component="a" href={address.href} variant={alone ? "filled" : "default"} size="md" fullWidth>{name || "Sign in with your organisation"}</Button>;
}

function ByPassword({ fresh, enter }: { fresh: boolean; enter: Props["enter"] }) {
  const [name, setName] = useState(fresh ? "admin" : "");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [caps, setCaps] = useState(false);
  const wait = useWait(error);
  const secret = useRef<HTMLInputElement>(null);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await api.POST("/api/v1/auth/login", { body: { name, password } });
      enter(data!, password);
    } catch (problem) {
      setError(problem);
      requestAnimationFrame(() => secret.current?.select());
    } finally {
      setBusy(false);
    }
  };
  const watchCaps = (e: KeyboardEvent) => setCaps(e.getModifierState("CapsLock"));
  return (
    <form onSubmit={submit} className="door-form" aria-label="Sign in">
      <Mistake error={error} wait={wait} />
      <TextInput label="Name" name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} size="md" required withAsterisk={false} maxLength={128} autoFocus={!fresh}
        value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <PasswordInput ref={secret} label="Password" name="password" autoComplete="current-password" size="md" required withAsterisk={false} maxLength={1024} autoFocus={fresh}
        value={password} onChange={(e) => setPassword(e.currentTarget.value)} onKeyUp={watchCaps} onBlur={() => setCaps(false)}
        description={caps ? "Caps Lock is on." : undefined} inputWrapperOrder={["label", "input", "description", "error"]}
        visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }} />
      <Button type="submit" size="md" loading={busy} disabled={wait > 0} fullWidth>{wait > 90 ? `Wait ${clock(wait)}` : wait > 0 ? `Wait ${wait} s` : "Sign in"}</Button>
    </form>
  );
}

/** useWait counts down the seconds that the server asked for. */
function useWait(error: unknown): number {
  const [left, setLeft] = useState(0);
  useLayoutEffect(() => {
    const seconds = error instanceof Problem ? (error.retryAfter ?? 0) : 0;
    setLeft(seconds);
    if (seconds === 0) return;
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000))), 250);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}

function Mistake({ error, wait }: { error: unknown; wait: number }) {
  if (!error) return null;
  const waited = error instanceof Problem && error.retryAfter !== null && wait === 0;
  if (waited) return <div className="door-word" role="status">You can try again now.</div>;
  return <div className="door-word" data-kind="bad" role="alert">{sentence(error)}</div>;
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;

/** sentence says what went wrong, and what it means for who wants to sign in. */
export function sentence(error: unknown): string {
  if (!(error instanceof Problem)) return messageOf(error);
  if (error.offline) return "The server does not answer. Nothing was lost: try again in a moment.";
  if (error.status === 401) return "Name or password is wrong.";
  if (error.status === 429) return `Too many attempts. The next one is possible in ${seconds(error.retryAfter)}.`;
  if (error.status === 503) return "The server has too much to do just now.";
  return messageOf(error);
}

function seconds(n: number | null): string {
  if (n === null) return "a moment";
  return n < 90 ? `${n} ${n === 1 ? "second" : "seconds"}` : `${Math.ceil(n / 60)} minutes`;
}

function Lost() {
  return (
    <details className="door-lost">
      <summary>Cannot sign in?</summary>
      <p>An admin can set a new password under Settings, Users. Whoever runs the server types <code>patchscout user password NAME</code> there.</p>
    </details>
  );
}
