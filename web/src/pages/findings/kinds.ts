// What can be done to findings, as the page calls it.
import type { Filter } from "./fields";
import type { Row } from "./reader";

export type Act = "accepted" | "false_positive" | "out_of_scope" | "confirmed" | "none" | "assign" | "label" | "comment" | "close";

/** Target is what a deed is done to: findings that are known, or all that a filter selects, by their number. */
export type Target = { rows: Row[] } | { filter: Filter; total: number };

/** titles are what is written on buttons and dialogs. */
export const titles: Record<Act, string> = {
  accepted: "Accept the risk",
  false_positive: "False positive",
  out_of_scope: "Out of scope",
  confirmed: "Confirm",
  none: "Take the triage back",
  assign: "Assign",
  label: "Label",
  comment: "Comment",
  close: "Close",
};
