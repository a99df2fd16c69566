// The frame around every page: navigation, who is signed in, what everybody must know (no sign-in, no server), the keys
// that work everywhere.
import { ActionIcon, Burger, Button, Drawer, Kbd, Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconKeyboard, IconLogout, IconMessageQuestion, IconSearch, IconUser } from "@tabler/icons-react";
import { Link, Outlet, useLocation, useNavigate, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";

import { onSignedOut, Problem } from "../api/client";
import { signOut, useMe, useStillMe, useSystem } from "../api/session";
import { isLetter, lettersOn } from "../ui/letters";
import { Empty, Failure } from "../ui/states";
import { failed } from "../ui/said";
import { places } from "./nav";

const Palette = lazy(() => import("./Palette").then((m) => ({ default: m.Palette })));
const AskPanel = lazy(() => import("../pages/ask/Panel").then((m) => ({ default: m.AskPanel })));
const Keys = lazy(() => import("./Keys").then((m) => ({ default: m.Keys })));

function Brand() {
  return (
    <Link to="/" className="brand">
      <img src="./favicon.svg" width={24} height={24} alt="" />
      PatchScout
    </Link>
  );
}

function Nav({ onGo }: { onGo?: () => void }) {
  return (
    <nav aria-label="Pages" style={{ display: "contents" }}>
      {places.map((p) => (
        <Link key={p.to} to={p.to} className="nav-link" activeOptions={{ exact: p.to === "/", includeSearch: false }} onClick={onGo} title={p.about}>
          <p.icon size={18} stroke={1.7} aria-hidden="true" />
          {p.name}
        </Link>
      ))}
    </nav>
  );
}

function Account() {
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const router = useRouter();
  const leave = async () => {
    try {
      await signOut();
      await router.navigate({ to: "/signin" });
    } catch (error) {
      failed(error, "Could not sign out");
    }
  };
  return (
    <Menu position="top-start" width={200} shadow="md">
      <Menu.Target>
        <UnstyledButton className="nav-link" title="Account, light or dark">
          <IconUser size={18} stroke={1.7} aria-hidden="true" />
          <span className="cut">{me.auth_off ? "Nobody signs in" : me.name}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.role}{me.all_sites ? ", all sites" : `, ${me.sites.join(", ") || "no site"}`}</Menu.Label>
        {(["auto", "light", "dark"] as const).map((s) => (
          <Menu.Item key={s} onClick={() => setColorScheme(s)} rightSection={colorScheme === s ? <IconCheck size={14} aria-label="chosen" /> : null}>
            {{ auto: "Light or dark as the system", light: "Light", dark: "Dark" }[s]}
          </Menu.Item>
        ))}
        {!me.auth_off && me.kind === "session" && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => void router.navigate({ to: "/signin", search: { change: true } })}>Change password</Menu.Item>
            <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void leave()}>Sign out</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Notices() {
  const me = useMe();
  const system = useSystem();
  const offline = system.error instanceof Problem && system.error.offline;
  return (
    <>
      {offline && <div className="notice" data-kind="bad" role="alert">The server does not answer. What you see is what it said last; it is asked again by itself.</div>}
      {me.auth_off && <div className="notice" role="note">Nobody has to sign in here (<code>--auth off</code>): whoever reaches this server may do everything.</div>}
    </>
  );
}

/** useKeys are the keys that work on every page: Ctrl-K, /, ?, q, and g with a letter. */
function useKeys(open: (what: "palette" | "keys" | "ask") => void) {
  const navigate = useNavigate();
  const waiting = useRef(0);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
        e.preventDefault();
        open("palette");
        return;
      }
      const at = e.target as HTMLElement;
      if (e.ctrlKey || e.metaKey || e.altKey || (isLetter(e) && !lettersOn()) || at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || document.querySelector("[aria-modal=true]")) return;
      if (e.key === "?") open("keys");
      else if (Date.now() - waiting.current < 1200) {
        const place = places.find((p) => p.key === e.key);
        waiting.current = 0;
        if (place) {
          e.preventDefault();
          e.stopImmediatePropagation();
          void navigate({ to: place.to });
        }
      } else if (e.key === "g") waiting.current = Date.now();
      else if (e.key === "q") {
        e.preventDefault(); // or it would stand in the field that has the focus then
        open("ask");
      }
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [navigate, open]);
}

type Asking = { opened: boolean; wish: { n: number; text: string } | null };

/** useAsking opens the panel of questions; on the page of questions the field is there already. */
function useAsking() {
  const [asking, setAsking] = useState<Asking | null>(null);
  const navigate = useNavigate();
  const onPage = useLocation({ select: (l) => /\/ask$/.test(l.pathname) });
  const before = useRef<Element | null>(null);
  const ask = useCallback((text = "") => {
    before.current = document.activeElement;
    if (!onPage) setAsking((now) => ({ opened: true, wish: text ? { n: (now?.wish?.n ?? 0) + 1, text } : (now?.wish ?? null) }));
    else if (text) void navigate({ to: "/ask", search: { q: text } });
    else document.querySelector<HTMLElement>(".ask-composer textarea")?.focus();
  }, [onPage, navigate]);
  const close = useCallback(() => {
    setAsking((now) => now && { ...now, opened: false });
    if (before.current instanceof HTMLElement) before.current.focus({ preventScroll: true });
  }, []);
  return { asking, ask, close, shown: asking?.opened === true && !onPage };
}

/** Shell is the frame; the page stands in its Outlet. */
export function Shell() {
  const [shown, setShown] = useState<"palette" | "keys" | null>(null);
  const [menu, setMenu] = useState(false);
  const router = useRouter();
  const { asking, ask, close: closeAsk, shown: askShown } = useAsking();
  const open = useCallback((what: "palette" | "keys" | "ask") => (what === "ask" ? ask() : setShown(what)), [ask]);
  const toggleAsk = () => (askShown ? closeAsk() : ask());
  useKeys(open);
  useStillMe();
  // Of several questions that are refused at once the first one leads to the door; the others must not lead back to the door.
  useEffect(() => {
    let led = false;
    return onSignedOut(() => {
      const here = router.latestLocation;
      if (!led && !here.pathname.endsWith("/signin")) void router.navigate({ to: "/signin", search: { to: here.href, ended: true } });
      led = true;
    });
  }, [router]);
  const search = (
    <div style={{ display: "flex", gap: 6, marginBottom: 8 }}>
      <Button variant="default" fullWidth justify="flex-start" leftSection={<IconSearch size={15} aria-hidden="true" />} rightSection={<Kbd size="xs">Ctrl K</Kbd>} onClick={() => setShown("palette")} fw={450} c="dimmed" px={9} styles={{ label: { flex: 1 } }}>
        Search
      </Button>
      <ActionIcon variant="default" size="input-sm" c="dimmed" aria-label="Ask about what is on the screen" aria-expanded={askShown} title="Ask about what is on the screen (Q)" onClick={toggleAsk}><IconMessageQuestion size={17} stroke={1.7} /></ActionIcon>
    </div>
  );
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the page</a>
      <aside className="side" aria-label="Navigation">
        <Brand />
        {search}
        <Nav />
        <div className="side-foot">
          <UnstyledButton className="nav-link" onClick={() => setShown("keys")}><IconKeyboard size={18} stroke={1.7} aria-hidden="true" />Keys</UnstyledButton>
          <Account />
        </div>
      </aside>
      <header className="topbar">
        <Burger opened={menu} onClick={() => setMenu(!menu)} size="sm" aria-label="Open the navigation" />
        <Brand />
        <ActionIcon variant="subtle" color="gray" ml="auto" size="lg" aria-label="Ask about what is on the screen" onClick={toggleAsk}><IconMessageQuestion size={19} /></ActionIcon>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Search" onClick={() => setShown("palette")}><IconSearch size={19} /></ActionIcon>
      </header>
      <Drawer opened={menu} onClose={() => setMenu(false)} size={260} title="PatchScout" closeButtonProps={{ "aria-label": "Close the navigation" }}>
        <div style={{ display: "flex", flexDirection: "column", gap: 2 }}>
          <Nav onGo={() => setMenu(false)} />
          <Account />
        </div>
      </Drawer>
      <main className="main" id="main" tabIndex={-1} style={{ outline: "none" }}>
        <Notices />
        <Outlet />
      </main>
      <Suspense>
        {asking && <AskPanel opened={askShown} close={closeAsk} wish={asking.wish} />}
        {shown === "palette" && <Palette close={() => setShown(null)} ask={ask} />}
        {shown === "keys" && <Keys close={() => setShown(null)} />}
      </Suspense>
    </div>
  );
}

/** Crash stands where a page broke. */
export function Crash({ error, reset }: ErrorComponentProps) {
  return <div className="page"><Failure error={error} what="the page" retry={reset} /></div>;
}

/** Lost stands where no page is. */
export function Lost() {
  return (
    <main className="page" id="main">
      <h1>No such page</h1>
      <Empty title="There is no page at this address" action={<Button component={Link} to="/" variant="default">To Today</Button>}>It may have moved, or the address was cut short.</Empty>
    </main>
  );
}
