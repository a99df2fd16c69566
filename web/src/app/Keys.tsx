import { Kbd, Modal, Switch } from "@mantine/core";
import { useState } from "react";

import { lettersOn, setLetters } from "../ui/letters";

import { places } from "./nav";

const everywhere: [string[], string][] = [
  [["Ctrl", "K"], "Search and go anywhere"],
  [["Q"], "Ask about what is on the screen"],
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

const inQuestions: [string[], string][] = [
  [["Enter"], "Ask"],
  [["Shift", "Enter"], "Next line"],
  [["↑"], "What was asked before"],
  [["Esc"], "Stop the answer, close the panel"],
];

const onFindings: [string[], string][] = [
  [["C"], "Confirm"],
  [["A"], "Accept the risk"],
  [["F"], "False positive"],
  [["O"], "Out of scope"],
  [["U"], "Take the word back"],
  [["W"], "Assign"],
  [["L"], "Label"],
  [["M"], "Comment"],
  [["Shift", "X"], "Select up to here"],
  [["Ctrl", "A"], "Select all that the filter shows"],
  [["Ctrl", "Z"], "Undo"],
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
  const [letters, setOn] = useState(lettersOn());
  const turn = (on: boolean) => {
    setLetters(on);
    setOn(on);
  };
  return (
    <Modal opened onClose={close} title="Keys" size="md" closeButtonProps={{ "aria-label": "Close" }}>
      <Switch label="Keys of one letter" description="Off: only keys with Ctrl, arrows and Enter do something." checked={letters} onChange={(e) => turn(e.currentTarget.checked)} />
      <List title="Everywhere" keys={everywhere} />
      <List title="In tables" keys={inTables} />
      <List title="On findings" keys={onFindings} />
      <List title="In the field for questions" keys={inQuestions} />
      <List title="Go to" keys={places.map((p) => [["G", p.key.toUpperCase()], p.name])} />
    </Modal>
  );
}
