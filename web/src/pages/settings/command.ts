// How to start a worker, as somebody types it on its machine.

/** quoted is a word as a POSIX shell takes it. */
export const quoted = (word: string): string => (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** onlyHere says that an address leads to this machine alone, where a worker elsewhere finds nobody. */
export const onlyHere = (server: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/i.test(new URL(server).hostname);

/** keepToken puts the token into a file that nobody else may read. The blank before it keeps most shells from remembering it. */
export const keepToken = (token: string): string => ` (umask 077; printf '%s\\n' ${quoted(token)} > worker.token)`;

/** startWorker starts the worker. */
export const startWorker = (server: string): string => `patchscout worker --server ${quoted(server.replace(/\/$/, ""))} --token-file worker.token`;
