// Changing something: say what it did, offer the way back, ask anew for what it changed.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";

import { plain } from "../../ui/inert";
import { failed, said } from "../../ui/said";

export type Deed = {
  /** done says what was done, failed the title where it was not. */
  done: string;
  failed: string;
  /** stale are the paths whose answers it changed. */
  stale: string[];
  /** undo takes it back, where the server can. */
  undo?: () => Promise<unknown>;
};

/** useAct runs a change. It answers whether that worked; what the server answered goes through fn, and is kept nowhere. */
export function useAct() {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const fresh = useCallback((paths: string[]) => client.invalidateQueries({ predicate: (q) => paths.some((p) => String(q.queryKey[1]).startsWith(p)) }), [client]);
  const act = useCallback(
    async (fn: () => Promise<unknown>, deed: Deed): Promise<boolean> => {
      setBusy(true);
      try {
        await fn();
        if (deed.undo) saidUndo(deed.done, deed.undo, () => void fresh(deed.stale));
        else said(deed.done);
        return true;
      } catch (error) {
        failed(error, deed.failed);
        return false;
      } finally {
        setBusy(false);
        void fresh(deed.stale);
      }
    },
    [fresh],
  );
  return { act, busy };
}

/** saidUndo tells what was done, with the way back, for ten seconds. */
function saidUndo(message: string, undo: () => Promise<unknown>, after: () => void) {
  const back = () => {
    notifications.hide(id);
    undo().then(() => said("Taken back."), (error: unknown) => failed(error, "It could not be taken back")).finally(after);
  };
  const id = notifications.show({
    color: "teal", autoClose: 10_000,
    message: <span className="settings-undo"><span>{plain(message)}</span><Button size="compact-xs" variant="light" onClick={back}>Undo</Button></span>,
  });
}
