// Short words in a corner after something was done, with a way back where there is one.
import { notifications } from "@mantine/notifications";

import { plain } from "./inert";
import { messageOf } from "./states";

/** said tells that something was done. Names of others may be in it. */
export function said(message: string, title?: string) {
  notifications.show({ message: plain(message), title, color: "teal", autoClose: 5000 });
}

/** failed tells that something was not done, and why. It stays until it is closed. */
export function failed(error: unknown, title = "That did not work") {
  notifications.show({ message: plain(messageOf(error)), title, color: "red", autoClose: false });
}
