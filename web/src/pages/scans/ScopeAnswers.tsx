// What would happen to each target, while it is being typed.
import { Anchor, Button } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { failed, said } from "../../ui/said";
import { messageOf } from "../../ui/states";
import { mayAllow, ruleOf } from "./targets";

type Answer = Schema<"ScopeAnswer">;
type Props = { check: Schema<"ScopeCheck"> | undefined; error: unknown; settled: boolean; asked: number; recheck: () => void; leaveOut: (targets: string[]) => void };

export function ScopeAnswers({ check, error, settled, asked, recheck, leaveOut }: Props) {
  const [all, showAll] = useState(false);
  if (asked === 0) return null;
  const refused = check?.targets.filter((t) => !t.allowed) ?? [];
  const allowed = check?.targets.filter((t) => t.allowed) ?? [];
  const list = [...refused, ...(all || (check?.targets.length ?? 0) <= 6 ? allowed : [])];
  return (
    <div style={{ marginTop: 8, opacity: settled ? 1 : 0.6 }}>
      <p role="status" className="dim" style={{ fontSize: "0.8125rem" }}>{error ? <span className="bad">{plain(messageOf(error))}</span> : check ? summary(check, refused) : "Looking whether they may be scanned …"}</p>
      {check && !error && (
        <ul className="scope" aria-label="Targets">
          {list.slice(0, 200).map((t) => <Target key={t.target} answer={t} site={check.site} recheck={recheck} />)}
        </ul>
      )}
      <div className="scope" style={{ overflow: "visible" }}>
        <span className="tools">
          {refused.length > 0 && allowed.length > 0 && <Button size="compact-sm" variant="default" onClick={() => leaveOut(refused.map((t) => t.target))}>Leave out what cannot be scanned</Button>}
          {allowed.length > 0 && check!.targets.length > 6 && <Button size="compact-sm" variant="subtle" color="gray" onClick={() => showAll(!all)}>{all ? "Only show what cannot be scanned" : `Show the ${count(allowed.length, "other target")}`}</Button>}
        </span>
      </div>
    </div>
  );
}

function summary(check: Schema<"ScopeCheck">, refused: Answer[]): string {
  const addresses = check.targets.reduce((n, t) => n + t.addresses, 0);
  const what = `${count(check.targets.length, "target")}, ${count(addresses, "address", "addresses")}`;
  if (refused.length === 0) return `${what}: all may be scanned.`;
  if (check.targets.length === 1) return `${what}: it cannot be scanned.`;
  return refused.length === check.targets.length ? `${what}: none can be scanned.` : `${what}: ${refused.length.toLocaleString()} cannot be scanned.`;
}

function Target({ answer, site, recheck }: { answer: Answer; site: string; recheck: () => void }) {
  const admin = useMay("admin");
  const some = answer.denied > 0 && answer.denied < answer.addresses;
  return (
    <li data-ok={answer.allowed}>
      {answer.allowed ? <IconCheck size={15} aria-hidden="true" /> : <IconX size={15} aria-hidden="true" />}
      <span>
        <span className="sr">{answer.allowed ? "Allowed: " : "Refused: "}</span>
        <Inert text={answer.target} mono />{" "}
        <span className="dim">
          {answer.addresses > 0 && `${count(answer.addresses, "address", "addresses")}; `}
          {some && `${answer.denied.toLocaleString()} of them refused; `}
          <Inert text={answer.reason} />
        </span>
        {admin && mayAllow(answer) && <Allow answer={answer} site={site} recheck={recheck} />}
        {!admin && mayAllow(answer) && <span className="says dim"> An administrator can allow it.</span>}
      </span>
    </li>
  );
}

/** Allow is how an administrator lets a target be scanned, asked once more: a rule holds for everybody who may scan. */
function Allow({ answer, site, recheck }: { answer: Answer; site: string; recheck: () => void }) {
  const [asked, ask] = useState(false);
  const [busy, setBusy] = useState(false);
  const rule = ruleOf(answer.target)!;
  const allow = async () => {
    setBusy(true);
    try {
      await api.POST("/api/v1/scope", { body: { network: rule, site, note: "allowed when a scan was started" } });
      said(`${plain(rule)} may be scanned now.`);
      recheck();
    } catch (error) {
      failed(error, "It could not be allowed");
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className="tools">
      {!asked && <Button size="compact-xs" variant="default" onClick={() => ask(true)}>Allow it …</Button>}
      {asked && (
        <>
          <span>Everybody who may scan in the site {plain(site)} may then scan <Inert text={rule} mono />. Are you allowed to?</span>
          <Button size="compact-xs" loading={busy} onClick={() => void allow()}>Yes, allow it</Button>
          <Button size="compact-xs" variant="default" onClick={() => ask(false)}>No</Button>
        </>
      )}
      <Anchor component={Link} to="/settings/scope" size="xs">All rules</Anchor>
    </span>
  );
}
