// Keys of one letter can be turned off: who speaks to the machine, or touches keys by accident, must not change findings by
// it (WCAG 2.2, 2.1.4 Character Key Shortcuts).
const name = "patchscout-letters";

/** lettersOn says whether a key of one letter does something by itself. */
export function lettersOn(): boolean {
  try {
    return localStorage.getItem(name) !== "off";
  } catch {
    return true; // storage is off: as everybody has it
  }
}

export function setLetters(on: boolean) {
  try {
    localStorage.setItem(name, on ? "on" : "off");
  } catch {
    // it holds for nobody then
  }
}

/** isLetter says whether a key press is one of a letter alone, which may be turned off. */
export function isLetter(e: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean }): boolean {
  return e.key.length === 1 && !e.ctrlKey && !e.metaKey && !e.altKey;
}
