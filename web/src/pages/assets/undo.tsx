// Something was done, and can be taken back for a while.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";

import { plain } from "../../ui/inert";
import { failed } from "../../ui/said";

/** done tells that something was done, with the way back where there is one. */
export function done(message: string, back?: () => Promise<unknown>) {
  const id = notifications.show({
    color: "teal", autoClose: back ? 10_000 : 5_000,
    message: (
      <span style={{ display: "flex", alignItems: "center", gap: 12, justifyContent: "space-between" }}>
        <span>{plain(message)}</span>
        {back && <Button variant="default" size="compact-sm" onClick={() => { notifications.hide(id); back().catch((e) => failed(e, "Could not undo it")); }}>Undo</Button>}
      </span>
    ),
  });
}
