// The frame of every page: its title, what it is for, what can be done, and its parts.
import { useEffect, type ReactNode } from "react";

import { plain } from "./inert";

/** Page names itself in the browser's title too. wide uses the whole width, for tables. */
export function Page({ title, about, actions, wide, children }: { title: string; about?: ReactNode; actions?: ReactNode; wide?: boolean; children: ReactNode }) {
  useEffect(() => {
    document.title = `${plain(title)} · PatchScout`;
  }, [title]);
  return (
    <div className={"page" + (wide ? " page-wide" : "")}>
      <header className="page-head">
        <div>
          <h1>{plain(title)}</h1>
          {about && <p>{about}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** Panel is a part of a page with a heading. */
export function Panel({ title, actions, children, flush }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className="panel">
      {title && (
        <div className="panel-head">
          <h2>{title}</h2>
          {actions}
        </div>
      )}
      {flush ? children : <div className="panel-body">{children}</div>}
    </section>
  );
}

/** Facts lists names and values. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
