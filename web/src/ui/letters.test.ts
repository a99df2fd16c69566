import { expect, test } from "vitest";

import { isLetter, lettersOn, setLetters } from "./letters";

test("keys of one letter work until they are turned off, and again after", () => {
  expect(lettersOn()).toBe(true);
  setLetters(false);
  expect(lettersOn()).toBe(false);
  setLetters(true);
  expect(lettersOn()).toBe(true);
});

test("a letter with Ctrl, and keys with names, are not letters", () => {
  const bare = { ctrlKey: false, metaKey: false, altKey: false };
  expect(isLetter({ key: "a", ...bare })).toBe(true);
  expect(isLetter({ key: "?", ...bare })).toBe(true);
  expect(isLetter({ key: "a", ...bare, ctrlKey: true })).toBe(false);
  expect(isLetter({ key: "Enter", ...bare })).toBe(false);
});
