// The settings: a list at the side, one part at a time.
import { Button, NativeSelect } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, type ComponentType } from "react";

import { useMay } from "../../api/session";
import { Page } from "../../ui/page";
import { Empty, Loading } from "../../ui/states";
import { groups, sectionOf, sections, type SectionID } from "./sections";
import "./settings.css";

const parts: Record<SectionID, ComponentType> = {
  account: lazy(() => import("./Account").then((m) => ({ default: m.Account }))),
  tokens: lazy(() => import("./Tokens").then((m) => ({ default: m.Tokens }))),
  users: lazy(() => import("./Users").then((m) => ({ default: m.Users }))),
  roles: lazy(() => import("./Roles").then((m) => ({ default: m.Roles }))),
  scope: lazy(() => import("./Scope").then((m) => ({ default: m.Scope }))),
  sites: lazy(() => import("./Sites").then((m) => ({ default: m.Sites }))),
  workers: lazy(() => import("./Workers").then((m) => ({ default: m.Workers }))),
  rules: lazy(() => import("./Rules").then((m) => ({ default: m.Rules }))),
  sla: lazy(() => import("./SLA").then((m) => ({ default: m.SLA }))),
  feeds: lazy(() => import("./Feeds").then((m) => ({ default: m.Feeds }))),
  assistant: lazy(() => import("./Assistant").then((m) => ({ default: m.Assistant }))),
  jobs: lazy(() => import("./Jobs").then((m) => ({ default: m.Jobs }))),
  audit: lazy(() => import("./Audit").then((m) => ({ default: m.Audit }))),
  system: lazy(() => import("./System").then((m) => ({ default: m.System }))),
};

export function Settings() {
  const { section: id } = useParams({ strict: false }) as { section?: string };
  const section = sectionOf(id);
  return (
    <Page title={section?.name ?? "Settings"} about={section?.about}>
      <div className="settings">
        <Side current={section?.id} />
        <div className="settings-part">
          {section ? <Part key={section.id} id={section.id} role={section.role} /> : (
            <Empty title="There is no such setting" action={<Button component={Link} to="/settings" variant="default">To the settings</Button>}>The address was cut short, or it is of another version.</Empty>
          )}
        </div>
      </div>
    </Page>
  );
}

function Part({ id, role }: { id: SectionID; role: "viewer" | "admin" }) {
  const may = useMay(role);
  const Content = parts[id];
  if (!may) return <Empty icon={<IconLock size={30} stroke={1.4} aria-hidden="true" />} title="This is for administrators">Ask one of them, or sign in as one.</Empty>;
  return (
    <Suspense fallback={<Loading rows={8} />}>
      <Content />
    </Suspense>
  );
}

/** Side is the list of all parts; where there is no room for it, a field to choose from. */
function Side({ current }: { current?: SectionID }) {
  const navigate = useNavigate();
  const admin = useMay("admin");
  return (
    <>
      <nav className="settings-side" aria-label="Settings">
        {groups.map((group) => (
          <div key={group} role="group" aria-label={group}>
            <div className="settings-group">{group}</div>
            {sections.filter((s) => s.group === group).map((s) => (
              <Link key={s.id} to="/settings/$section" params={{ section: s.id }} className="nav-link" data-status={s.id === current ? "active" : "inactive"} aria-current={s.id === current ? "page" : undefined}>
                {s.name}
                {s.role === "admin" && !admin && <IconLock size={13} aria-label="for administrators" />}
              </Link>
            ))}
          </div>
        ))}
      </nav>
      <NativeSelect
        className="settings-pick" label="Settings" value={current ?? ""} onChange={(e) => void navigate({ to: "/settings/$section", params: { section: e.currentTarget.value } })}
        data={groups.map((group) => ({ group, items: sections.filter((s) => s.group === group).map((s) => ({ value: s.id, label: s.name })) }))}
      />
    </>
  );
}
