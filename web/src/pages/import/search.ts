// What the addresses of the imports' pages say.
import { textOf, truthOf, type Raw } from "../../ui/chosen";

/** ImportSearch: tool "" recognises each file by itself; full is a person's word on what the files cover. */
export type ImportSearch = { tool: string; site: string; full: boolean; only: string };

export const importSearch = (raw: Raw): ImportSearch => ({ tool: textOf(raw.tool, 40), site: textOf(raw.site, 63), full: truthOf(raw.full), only: textOf(raw.only, 63) });
