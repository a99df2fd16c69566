// The list by keys: J and K walk, or open the path after and before; Enter opens by itself, for the line's link has the focus.
import { useEffect, useRef } from "react";

import { isLetter, lettersOn } from "../../ui/letters";

type Ways = { order: readonly { id: string }[]; open: string; show: (id: string) => void };

export const rowID = (id: string) => `path-row-${id}`;

export function useKeys(ways: Ways) {
  const now = useRef(ways);
  useEffect(() => {
    now.current = ways;
  });
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement;
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || (isLetter(e) && !lettersOn())) return;
      if (target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && (target as HTMLInputElement).type !== "checkbox")) return;
      if (document.querySelector("[aria-modal=true], [role=menu]:not([hidden]), .mantine-Popover-dropdown")) return;
      if (press(e.key, target, now.current)) e.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function press(key: string, target: HTMLElement, { order, open, show }: Ways): boolean {
  const by = { j: 1, k: -1 }[key];
  if (by && order.length > 0) {
    const here = open || target.closest("[data-path]")?.getAttribute("data-path");
    const next = order[Math.max(0, Math.min(order.length - 1, order.findIndex((p) => p.id === here) + by))]!;
    if (open) show(next.id);
    const link = document.getElementById(rowID(next.id));
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: "nearest" });
    return true;
  }
  if (key === "Escape" && open) {
    show("");
    requestAnimationFrame(() => document.getElementById(rowID(open))?.focus());
    return true;
  }
  return false;
}
