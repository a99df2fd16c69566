// What can be done with the findings that are selected.
import { Button, Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";

import { count } from "../../ui/numbers";
import type { Act } from "./kinds";
import { titles } from "./kinds";
import type { Selection } from "./selection";

const first: Act[] = ["confirmed", "accepted", "false_positive"];
const more: Act[] = ["out_of_scope", "none", "comment", "close"];

/** Bulk stands at the lower edge while something is selected. */
export function Bulk({ selection, act }: { selection: Selection; act: (what: Act) => void }) {
  return (
    <div className="fi-bulk" role="toolbar" aria-label="For the selected findings">
      <span className="num" role="status">
        <b>{count(selection.size, "finding")}</b> {selection.all ? "selected: all of this list" : "selected"}
      </span>
      {!selection.all && <Button variant="subtle" size="compact-sm" onClick={selection.toggleAll}>Select the whole list</Button>}
      <span className="fi-bulk-acts">
        {first.map((what) => <Button key={what} variant="default" size="compact-sm" onClick={() => act(what)}>{titles[what]}{what === "confirmed" ? "" : " …"}</Button>)}
        <Button variant="default" size="compact-sm" onClick={() => act("assign")}>Assign …</Button>
        <Button variant="default" size="compact-sm" onClick={() => act("label")}>Label …</Button>
        <Menu shadow="md" position="top-end">
          <Menu.Target><Button variant="default" size="compact-sm" rightSection={<IconChevronDown size={13} aria-hidden="true" />}>More</Button></Menu.Target>
          <Menu.Dropdown>{more.map((what) => <Menu.Item key={what} onClick={() => act(what)}>{titles[what]}{what === "none" ? "" : " …"}</Menu.Item>)}</Menu.Dropdown>
        </Menu>
        <Button variant="subtle" color="gray" size="compact-sm" onClick={selection.clear}>Clear</Button>
      </span>
    </div>
  );
}
