// The asker's conversations, the last one first.
import { Button, Group, Modal } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { queries } from "../../api/client";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { failed, said } from "../../ui/said";
import { Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { forgetAll, sessions } from "./ask";
import type { Session } from "./kinds";

const page = 30;

/** usePast asks for conversations, page by page. */
export function usePast() {
  return useInfiniteQuery({
    queryKey: ["ask", "sessions"],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => sessions(pageParam, page, signal),
    getNextPageParam: (last) => (last.skip + last.items.length < last.total && last.items.length > 0 ? last.skip + last.items.length : undefined),
  });
}

type Props = { current: string; open: (session: string) => void; begin: () => void };

export function Past({ current, open, begin }: Props) {
  const past = usePast();
  const all = past.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <nav className="ask-past" aria-label="Conversations">
      <Button variant="default" size="xs" leftSection={<IconPlus size={14} aria-hidden="true" />} onClick={begin} fullWidth>New conversation</Button>
      {past.isError && !past.data ? <Failure error={past.error} what="your conversations" retry={() => void past.refetch()} /> : !past.data ? <Loading rows={5} label="Loading conversations" /> : all.length === 0 ? <p className="dim ask-none">Your conversations will stand here.</p> : (
        <>
          <ul>{all.map((s) => <li key={s.session_id}><Line session={s} on={s.session_id === current} open={open} /></li>)}</ul>
          {past.hasNextPage && <Button variant="subtle" size="xs" color="gray" loading={past.isFetchingNextPage} onClick={() => void past.fetchNextPage()}>More</Button>}
          <RemoveAll total={past.data.pages[0]!.total} begin={begin} />
        </>
      )}
    </nav>
  );
}

export function Line({ session, on, open }: { session: Session; on?: boolean; open: (session: string) => void }) {
  return (
    <button type="button" className="ask-past-line" aria-current={on ? "page" : undefined} onClick={() => open(session.session_id)}>
      <span className="cut"><Inert text={session.title} /></span>
      <small className="dim">{count(session.questions, "question")}, <When at={session.last_at} /></small>
    </button>
  );
}

function RemoveAll({ total, begin }: { total: number; begin: () => void }) {
  const [sure, setSure] = useState(false);
  const remove = async () => {
    await forgetAll();
    begin();
    said("All of your conversations are removed.");
  };
  return (
    <>
      <button type="button" className="ask-link ask-remove-all" onClick={() => setSure(true)}>Remove all</button>
      {sure && <Sure title={`Remove ${count(total, "conversation")}?`} label="Remove all" act={remove} close={() => setSure(false)}>All questions that you asked and their answers go. This cannot be taken back.</Sure>}
    </>
  );
}

/** Sure asks before a conversation is removed. */
export function Sure({ title, label, act, close, children }: { title: string; label: string; act: () => Promise<void>; close: () => void; children: string }) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await act();
      close();
    } catch (error) {
      failed(error, "It was not removed");
      setBusy(false);
    } finally {
      void queries.invalidateQueries({ queryKey: ["ask", "sessions"] });
    }
  };
  return (
    <Modal opened onClose={close} title={title} size="sm" closeButtonProps={{ "aria-label": "Close" }} transitionProps={{ duration: 80 }}>
      <p>{children}</p>
      <Group justify="flex-end" gap={8} mt={16}>
        <Button variant="default" onClick={close} disabled={busy} data-autofocus>Cancel</Button>
        <Button color="red" loading={busy} onClick={() => void go()}>{label}</Button>
      </Group>
    </Modal>
  );
}
