// The list by keys alone. They work wherever one is on the page, but not while one writes or while a dialog is open.
import { useEffect, useRef, type RefObject } from "react";

import { isLetter, lettersOn } from "../../ui/letters";
import type { Act } from "./kinds";
import type { Reader, Row } from "./reader";
import type { Selection } from "./selection";
import type { TableRef } from "./Table";

type Ways = {
  at: number | null;
  reader: Reader;
  open: number | null;
  current: Row | undefined;
  selection: Selection;
  table: RefObject<TableRef | null>;
  may: boolean;
  off: boolean;
  go: (index: number) => void;
  step: (by: number) => void;
  show: (id: number | null) => void;
  act: (what: Act) => void;
  undo: () => void;
};

/** acts are what is done by one key. */
export const acts: Record<string, Act> = { a: "accepted", f: "false_positive", c: "confirmed", o: "out_of_scope", u: "none", w: "assign", l: "label", m: "comment" };

/** useKeys hears the keys. */
export function useKeys(ways: Ways) {
  const now = useRef(ways);
  now.current = ways;
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement;
      if (e.defaultPrevented || e.altKey || now.current.off || (isLetter(e) && !lettersOn())) return;
      if (target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && (target as HTMLInputElement).type !== "checkbox")) return;
      if (document.querySelector("[aria-modal=true], [role=menu]:not([hidden])")) return;
      if (press(e, target, now.current)) e.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function press(e: KeyboardEvent, target: HTMLElement, w: Ways): boolean {
  const free = target === document.body || target.id === "main" || target.getAttribute("role") === "grid" || target.classList.contains("fi-scroll");
  if (e.ctrlKey || e.metaKey) return withControl(e, target, w);
  const page = w.table.current?.page() ?? 10;
  const end = (w.reader.book.total ?? 0) - 1;
  const steps: Record<string, number> = { j: 1, k: -1, ...(free ? { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity } : {}) };
  const by = steps[e.key];
  if (by !== undefined && end >= 0) {
    if (w.open !== null && Number.isFinite(by)) w.step(by);
    else w.go(Math.min(Math.max((w.at ?? (by > 0 ? -1 : 0)) + by, 0), end));
    return true;
  }
  return letter(e, free, w);
}

function withControl(e: KeyboardEvent, target: HTMLElement, w: Ways): boolean {
  if (target.closest(".fi-panel") || !w.may) return false;
  if (e.key === "a") w.selection.toggleAll();
  else if (e.key === "z") w.undo();
  else return false;
  return true;
}

function letter(e: KeyboardEvent, free: boolean, w: Ways): boolean {
  if (e.key === "/") {
    document.getElementById("findings-search")?.focus();
    return true;
  }
  if (e.key === "Escape") {
    if (w.open !== null) w.show(null);
    else if (w.selection.size > 0) w.selection.clear();
    else return false;
    return true;
  }
  if (e.key === "Enter" && free && w.current) {
    w.show(w.current.id);
    return true;
  }
  if (!w.may) return false;
  if (e.key.toLowerCase() === "x" && w.current && w.at !== null) {
    w.selection.toggle(w.current, w.at, e.shiftKey);
    return true;
  }
  const what = acts[e.key];
  if (!what || (w.selection.size === 0 && !w.current)) return false;
  w.act(what);
  return true;
}
