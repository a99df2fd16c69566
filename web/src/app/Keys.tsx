import { Kbd, Modal } from "@mantine/core";

import { places } from "./nav";

const everywhere: [string[], string][] = [
  [["Ctrl", "K"], "Search and go anywhere"],
  [["?"], "This list"],
  [["Esc"], "Close what is open"],
];

const inTables: [string[], string][] = [
  [["J"], "Next line"],
  [["K"], "Line before"],
  [["Enter"], "Open the line"],
  [["X"], "Select the line"],
  [["/"], "To the filter"],
];

function List({ title, keys }: { title: string; keys: [string[], string][] }) {
  return (
    <section>
      <h3 style={{ margin: "12px 0 6px" }}>{title}</h3>
      <dl className="facts">
        {keys.map(([press, does]) => (
          <div key={does} style={{ display: "contents" }}>
            <dt>{press.map((k) => <Kbd key={k} mr={4}>{k}</Kbd>)}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Keys lists what can be done without a mouse. */
export function Keys({ close }: { close: () => void }) {
  return (
    <Modal opened onClose={close} title="Keys" size="md" closeButtonProps={{ "aria-label": "Close" }}>
      <List title="Everywhere" keys={everywhere} />
      <List title="In tables" keys={inTables} />
      <List title="Go to" keys={places.map((p) => [["G", p.key.toUpperCase()], p.name])} />
    </Modal>
  );
}
