// How hard a password is to guess, roughly: enough to keep people from the ones that are guessed first. The server has
// the last word (8 characters or more, 1,024 bytes at most).

export type Strength = {
  /** level is 0 (refused) to 4 (strong). */
  level: 0 | 1 | 2 | 3 | 4;
  says: string;
};

const shortest = 8;
const longest = 1024; // bytes

// What guessing begins with. A password that is one of these with a few characters around it is found at once.
const first = [
  "password", "passwort", "passw0rd", "patchscout", "qwerty", "qwertz", "azerty", "asdf", "letmein", "welcome", "admin", "root", "secret", "iloveyou", "monkey", "dragon",
  "football", "master", "login", "changeme", "default", "summer", "winter", "spring", "autumn", "company", "server", "security", "test", "hallo", "hello", "abc",
];

/** strengthOf judges a password of a user of this name. */
export function strengthOf(password: string, name: string): Strength {
  const missing = shortest - [...password].length;
  if (missing > 0) return { level: 0, says: missing === shortest ? "8 characters or more." : `${missing} more ${missing === 1 ? "character is" : "characters are"} needed.` };
  if (new TextEncoder().encode(password).length > longest) return { level: 0, says: "1,024 bytes at most." };
  const bits = bitsOf(password, name);
  if (bits < 28) return { level: 1, says: "Guessed quickly. Add words that have nothing to do with each other." };
  if (bits < 44) return { level: 2, says: "Could be better: longer is what helps most." };
  if (bits < 60) return { level: 3, says: "Good." };
  return { level: 4, says: "Strong." };
}

function bitsOf(password: string, name: string): number {
  let rest = password.toLowerCase().replace(/[@4]/g, "a").replace(/[$5]/g, "s").replace(/0/g, "o").replace(/[1!](?=[a-z])/g, "i").replace(/3/g, "e");
  let bits = 0;
  for (const word of [name.toLowerCase(), ...first]) {
    if (word.length < 3 || !rest.includes(word)) continue;
    rest = rest.replaceAll(word, "");
    bits += 5;
  }
  return bits + stretch(rest, poolOf(password));
}

// A character that repeats or continues the one before it (aaa, 123, cba) adds next to nothing.
function stretch(text: string, pool: number): number {
  const codes = [...text].map((c) => c.codePointAt(0)!);
  const each = Math.log2(pool);
  return codes.reduce((bits, code, i) => bits + (i > 0 && Math.abs(code - codes[i - 1]!) <= 1 ? 1 : seen(codes, i) ? each / 2 : each), 0);
}

const seen = (codes: number[], at: number) => codes.indexOf(codes[at]!) < at;

function poolOf(password: string): number {
  const pool = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[^a-zA-Z0-9]/, 32]] as const;
  return pool.reduce((n, [has, size]) => n + (has.test(password) ? size : 0), 0);
}
