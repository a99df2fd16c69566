// What a page shows when there is nothing, not yet, or not any more.
import { Button, Skeleton } from "@mantine/core";
import { IconCloudOff, IconLock, IconMoodEmpty, IconZoomQuestion, IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Problem } from "../api/client";

/** Empty says that there is nothing, why, and what to do about it. */
export function Empty({ title, children, action, icon }: { title: string; children?: ReactNode; action?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="state" role="status">
      {icon ?? <IconMoodEmpty size={30} stroke={1.4} aria-hidden="true" />}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** Loading holds the place of rows that are on their way. It says so to those who cannot see it. */
export function Loading({ rows = 6, height = 18, label = "Loading" }: { rows?: number; height?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} aria-busy="true" style={{ display: "grid", gap: 12, padding: 14 }}>
      {Array.from({ length: rows }, (_, i) => <Skeleton key={i} height={height} width={`${92 - ((i * 37) % 40)}%`} />)}
    </div>
  );
}

/** Failure says what went wrong in words of the server, and offers to try again. */
export function Failure({ error, retry, what = "this" }: { error: unknown; retry?: () => void; what?: string }) {
  const problem = error instanceof Problem ? error : null;
  const [icon, title] = problem?.offline
    ? [<IconCloudOff key="i" size={30} stroke={1.4} aria-hidden="true" />, "The server does not answer"]
    : problem?.status === 403
      ? [<IconLock key="i" size={30} stroke={1.4} aria-hidden="true" />, "You may not see this"]
      : problem?.status === 404
        ? [<IconZoomQuestion key="i" size={30} stroke={1.4} aria-hidden="true" />, "There is no such thing"]
        : [<IconAlertTriangle key="i" size={30} stroke={1.4} aria-hidden="true" />, `Could not load ${what}`];
  return (
    <div className="state" role="alert">
      {icon}
      <h2>{title}</h2>
      <p>{problem?.offline ? "It may be starting, or the network is away. What you see elsewhere on the page is what it said last." : messageOf(error)}</p>
      {problem?.requestID && !problem.offline && problem.status >= 500 && <p className="mono">request {problem.requestID}</p>}
      {retry && <Button variant="default" onClick={retry}>Try again</Button>}
    </div>
  );
}

/** messageOf is an error in one sentence, with the fields that it names. */
export function messageOf(error: unknown): string {
  if (error instanceof Problem) {
    const fields = error.fields.map((f) => `${f.place.replace(/^body\./, "")}: ${f.message}`).join("; ");
    return fields && fields !== error.message ? `${error.message} (${fields})` : error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
