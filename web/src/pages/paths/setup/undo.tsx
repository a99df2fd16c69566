// Something was done: what, and for a while the way back.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";

import { queries } from "../../../api/client";
import { plain } from "../../../ui/inert";
import { failed, said } from "../../../ui/said";
import { renew } from "../ask";

/** anew asks again for all that paths and hosts rest on. */
export const anew = () => Promise.all([renew(), queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/api/v1/assets") })]);

/** deed does something and says so; it answers whether it was done. */
export async function deed(what: () => Promise<unknown>, words: { done: string; failed: string }, back?: () => Promise<unknown>): Promise<boolean> {
  try {
    await what();
    if (back) undoable(words.done, back);
    else said(words.done);
    return true;
  } catch (error) {
    failed(error, words.failed);
    return false;
  } finally {
    void anew();
  }
}

function undoable(message: string, back: () => Promise<unknown>) {
  const undo = () => {
    notifications.hide(toast);
    back().then(() => said("Taken back."), (error: unknown) => failed(error, "It could not be taken back")).finally(() => void anew());
  };
  const toast = notifications.show({
    color: "teal", autoClose: 10_000,
    message: <span className="ps-toast"><span>{plain(message)}</span><Button variant="default" size="compact-sm" onClick={undo}>Undo</Button></span>,
  });
}
