// The door: sign in, choose another password, or learn that nobody has to. It leads on to the page that was wanted.
import { Button, Skeleton } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";

import { $api, api, base, Problem, queries, setCSRF, type Schema } from "../../api/client";
import { began } from "../../api/session";
import { onTabs } from "../../api/tabs";
import { messageOf } from "../../ui/states";
import { Change } from "./Change";
import { Login } from "./Login";
import "./signin.css";
import { asked } from "./where";

/** who asks the server itself, not what this page remembers: another tab may have signed in or out meanwhile. */
const who = {
  queryKey: ["signin", "who"],
  queryFn: async (): Promise<Schema<"Me"> | null> => {
    try {
      const me = (await api.GET("/api/v1/auth/me")).data!;
      setCSRF(me.csrf_token ?? null); // a password is changed here, too
      return me;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
  gcTime: 0,
  staleTime: 0,
  refetchOnWindowFocus: "always" as const,
  refetchInterval: (q: { state: { status: string } }) => (q.state.status === "error" ? 4000 : false),
};

export function SignIn() {
  const { to, change, ended, refused } = asked(useSearch({ strict: false }));
  const router = useRouter();
  const me = useQuery(who);
  const ways = $api.useQuery("get", "/api/v1/auth/ways", {}, { refetchInterval: who.refetchInterval });
  // Who has just signed in with a password that is good for one thing need not type it again.
  const [typed, setTyped] = useState<string | null>(null);
  const goOn = () => void router.navigate({ href: to, replace: true });
  const enter = (user: Schema<"Me">, password: string | null) => {
    began(user);
    if (user.must_change) {
      setTyped(password);
      queries.setQueryData(who.queryKey, user);
    } else goOn();
  };
  const user = me.data ?? null;
  const straight = user !== null && !user.auth_off && !user.must_change && !change;
  useEffect(() => onTabs(() => void me.refetch()), []); // eslint-disable-line -- refetch stays the same
  useEffect(() => {
    if (!straight) return;
    began(user);
    goOn();
  }, [straight]); // eslint-disable-line -- once: what else changes does not send anybody anywhere
  useEffect(() => {
    document.title = `${user && change ? "Change password" : "Sign in"} · PatchScout`;
  }, [user, change]);

  const broken = me.error ?? ways.error;
  if (broken) return <Door title="Sign in"><Away error={broken} retry={() => void Promise.all([me.refetch(), ways.refetch()])} /></Door>;
  if (me.isPending || !ways.data || straight) return <Door title="Sign in"><Skeletons /></Door>;
  if (user?.auth_off) return <Door title="Nobody has to sign in here"><Open goOn={goOn} /></Door>;
  if (user) {
    const title = user.must_change ? "Choose your password" : "Change your password";
    return <Door title={title}><Change me={user} typed={typed} done={(next) => { began(next); goOn(); }} cancel={user.must_change ? null : goOn} /></Door>;
  }
  return <Door title="Sign in"><Login ways={ways.data} to={to} ended={ended} refused={refused} enter={enter} /></Door>;
}

function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="door">
      <main className="door-main" id="main">
        <div className="door-brand"><img src="./favicon.svg" width={28} height={28} alt="" />PatchScout</div>
        <h1>{title}</h1>
        {children}
      </main>
      <footer className="door-foot">You are at <span className="mono">{base.host}</span></footer>
    </div>
  );
}

function Skeletons() {
  return (
    <div role="status" aria-label="Loading" aria-busy="true" className="door-form">
      <Skeleton height={18} width="30%" /><Skeleton height={36} /><Skeleton height={18} width="34%" /><Skeleton height={36} /><Skeleton height={36} mt={6} />
    </div>
  );
}

function Away({ error, retry }: { error: unknown; retry: () => void }) {
  const offline = error instanceof Problem && error.offline;
  return (
    <div className="door-form">
      <div className="door-word" data-kind="bad" role="alert">
        {offline ? <><IconCloudOff size={17} aria-hidden="true" /> <span>The server does not answer. It is asked again every few seconds, and this page goes on by itself.</span></> : messageOf(error)}
      </div>
      <Button variant="default" onClick={retry}>Ask again now</Button>
    </div>
  );
}

/** Open says that there is no sign-in, and goes on. */
function Open({ goOn }: { goOn: () => void }) {
  useEffect(() => {
    const timer = setTimeout(goOn, 2500);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="door-form">
      <p>This server runs with <code>--auth off</code>: whoever reaches it may do everything. It is meant for trying PatchScout on one machine.</p>
      <Button onClick={goOn}>Go on</Button>
    </div>
  );
}
