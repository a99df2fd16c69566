// One's own password and session.
import { Button, PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, setCSRF } from "../../api/client";
import { meQuery, signOut, useMe } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { Facts, Panel } from "../../ui/page";
import { failed, said } from "../../ui/said";
import { messageOf } from "../../ui/states";
import { When } from "../../ui/when";

export function Account() {
  const me = useMe();
  const navigate = useNavigate();
  const leave = () => signOut().then(() => navigate({ to: "/signin" }), (error: unknown) => failed(error, "Could not sign out"));
  return (
    <>
      <Panel title="You" actions={me.kind === "session" && <Button size="xs" variant="default" onClick={() => void leave()}>Sign out</Button>}>
        <Facts
          rows={[
            ["Name", me.auth_off ? "nobody has to sign in here" : <Inert key="n" text={me.name} />],
            ["Role", me.role],
            ["Sees", me.all_sites ? "all sites" : me.sites.length > 0 ? <Inert key="s" text={me.sites.join(", ")} /> : <Missing key="m" why="no site" />],
            ["Session ends", me.kind === "session" ? <When key="w" at={me.expires_at} /> : "there is no session"],
          ]}
        />
      </Panel>
      {me.kind === "session" ? <Password /> : me.auth_off && <p className="dim">There are no passwords while the server runs with <code>--auth off</code>. Start it without to have users.</p>}
    </>
  );
}

/** Password keeps what is typed in the fields alone; they are emptied as soon as it was sent. */
function Password() {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = async (e: React.FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    const form = e.currentTarget;
    const said_ = (name: string) => String(new FormData(form).get(name) ?? "");
    if (said_("password") !== said_("again")) return setWrong("The new password was not typed the same way twice.");
    setBusy(true);
    try {
      const { data } = await api.POST("/api/v1/auth/password", { body: { current: said_("current"), password: said_("password") } });
      setCSRF(data!.csrf_token ?? null);
      client.setQueryData(meQuery.queryKey, data!);
      form.reset();
      setWrong(null);
      said("Your password was changed. Your other sessions have ended.");
    } catch (error) {
      form.reset();
      setWrong(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Change password">
      <form className="settings-form settings-narrow" onSubmit={(e) => void submit(e)}>
        <PasswordInput name="current" label="Present password" autoComplete="current-password" required withAsterisk={false} />
        <PasswordInput name="password" label="New password" description="8 characters or more" minLength={8} autoComplete="new-password" required withAsterisk={false} />
        <PasswordInput name="again" label="New password again" minLength={8} autoComplete="new-password" required withAsterisk={false} />
        {wrong && <p role="alert" className="settings-wrong">{wrong}</p>}
        <p className="dim">It ends all your sessions but this one.</p>
        <div><Button type="submit" loading={busy}>Change password</Button></div>
      </form>
    </Panel>
  );
}
