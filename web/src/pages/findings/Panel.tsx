// One finding beside the list.
import { ActionIcon } from "@mantine/core";
import { IconArrowsDiagonal, IconChevronDown, IconChevronUp, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { $api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { Failure, Loading } from "../../ui/states";
import { nameOf } from "./columns";
import { Detail, Level } from "./Detail";
import type { Act, Target } from "./kinds";
import type { Row } from "./reader";
import { Acts, History, Summary } from "./Story";

type Props = { id: number; row: Row | undefined; covering: boolean; act: (what: Act, target: Target) => void; close: () => void; step?: (by: number) => void };

/** Panel shows what the list knows at once, and all else when it comes. */
export function Panel({ id, row, covering, act, close, step }: Props) {
  const details = $api.useQuery("get", "/api/v1/vulnerabilities/{id}/details", { params: { path: { id } } });
  const shown = details.data ?? row;
  const box = useRef<HTMLElement>(null);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (body.current) body.current.scrollTop = 0;
  }, [id]);
  useEffect(() => {
    if (covering) box.current?.focus();
  }, [covering]);
  return (
    <aside className="fi-panel" aria-label="Finding" ref={box} tabIndex={-1} data-covering={covering || undefined}>
      <header className="fi-panel-head">
        <div className="fi-panel-tools">
          {step && <ActionIcon variant="subtle" color="gray" onClick={() => step(-1)} aria-label="Finding before" title="Finding before (K)"><IconChevronUp size={17} aria-hidden="true" /></ActionIcon>}
          {step && <ActionIcon variant="subtle" color="gray" onClick={() => step(1)} aria-label="Next finding" title="Next finding (J)"><IconChevronDown size={17} aria-hidden="true" /></ActionIcon>}
          <span style={{ flex: 1 }} />
          <ActionIcon variant="subtle" color="gray" renderRoot={(props: Record<string, unknown>) => <Link to="/findings/$id" params={{ id: String(id) }} {...props} />} aria-label="Open as a page" title="Open as a page"><IconArrowsDiagonal size={16} aria-hidden="true" /></ActionIcon>
          <ActionIcon variant="subtle" color="gray" onClick={close} aria-label="Close" title="Close (Esc)"><IconX size={17} aria-hidden="true" /></ActionIcon>
        </div>
        {shown && (
          <>
            <h2><Inert text={nameOf(shown)} /></h2>
            <Summary row={shown} />
            <Acts row={shown} start={(what) => act(what, { rows: [shown] })} />
          </>
        )}
      </header>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by the keyboard */}
      <div className="fi-panel-body" ref={body} tabIndex={0} role="region" aria-label="All that is known of it">
        {details.data ? (
          <Level value="h3">
            <Detail v={details.data} />
            <History row={details.data} lines={details.data.history ?? []} />
          </Level>
        ) : details.isError ? (
          <Failure error={details.error} what="the finding" retry={() => void details.refetch()} />
        ) : (
          <Loading rows={12} />
        )}
      </div>
    </aside>
  );
}
