import { expect, test } from "vitest";

import { standing } from "./peers";

const peer = { name: "m", url: "https://models.example.org", remote: true, accepted: true, sends: "questions", error: null };

test("what helps the assistant is in use, waits for a word, fails, or is none", () => {
  expect(standing(peer).word).toBe("In use");
  expect(standing({ ...peer, accepted: false, error: "nobody accepted it" }).word).toBe("Waits for your word");
  expect(standing({ ...peer, error: "it does not answer" }).word).toBe("Not used");
  expect(standing({ ...peer, name: null, url: null, accepted: null }).word).toBe("None");
  expect(standing({ ...peer, url: null, accepted: null }).word).toBe("In use");
});
