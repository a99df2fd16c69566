import { describe, expect, it } from "vitest";

import { strengthOf } from "./strength";

describe("the hint beside a new password", () => {
  it("says how many characters are missing", () => {
    expect(strengthOf("", "anna").says).toBe("8 characters or more.");
    expect(strengthOf("abcde", "anna").says).toBe("3 more characters are needed.");
    expect(strengthOf("abcdefg", "anna").says).toBe("1 more character is needed.");
  });

  it("counts a character that is two for the computer as one", () => {
    expect(strengthOf("🔑🔑🔑🔑", "anna").level).toBe(0);
  });

  it.each(["password1", "Passw0rd!", "aaaaaaaaaaaa", "123456789", "P@tchScout1", "abcdefgh", "annaanna1"])("warns of %s", (password) => {
    expect(strengthOf(password, "anna").level).toBe(1);
  });

  it.each(["correct-horse-battery", "tractor willow sixteen lamp", "kX9$vLq2#mWz"])("is content with %s", (password) => {
    expect(strengthOf(password, "anna").level).toBeGreaterThanOrEqual(3);
  });

  it("refuses what the server would refuse for its length", () => {
    expect(strengthOf("x".repeat(1025), "anna").level).toBe(0);
  });
});
