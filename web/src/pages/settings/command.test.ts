import { expect, test } from "vitest";

import { keepToken, onlyHere, quoted, startWorker } from "./command";

test("a worker is started by a line that can be pasted as it is", () => {
  expect(startWorker("https://scout.example.org/patchscout/")).toBe("patchscout worker --server https://scout.example.org/patchscout --token-file worker.token");
  expect(keepToken("ps_abc")).toBe(" (umask 077; printf '%s\\n' ps_abc > worker.token)");
});

test("a shell takes no word for a command", () => {
  expect(quoted("a'; rm -rf ~; '")).toBe(`'a'\\''; rm -rf ~; '\\'''`);
  expect(quoted("$(id)")).toBe("'$(id)'");
});

test("an address of this machine alone is known as one", () => {
  expect(onlyHere("http://127.0.0.1:8000/")).toBe(true);
  expect(onlyHere("http://[::1]:8000/")).toBe(true);
  expect(onlyHere("https://scout.example.org/")).toBe(false);
});
