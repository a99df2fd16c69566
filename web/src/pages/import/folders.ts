// The files of what was dropped: folders are gone through, leavings of file managers are left out.
import { hidden } from "./queue";

export type Dropped = { files: File[]; left: number };

const most = 2000; // files of one drop

/** filesOf must be called in the event itself: what was dropped is forgotten after it. */
export async function filesOf(data: DataTransfer): Promise<Dropped> {
  const entries = [...data.items].map((item) => (item.kind === "file" ? item.webkitGetAsEntry() : null)).filter((e) => e !== null);
  if (entries.length === 0) return { files: [...data.files], left: 0 };
  const out: Dropped = { files: [], left: 0 };
  for (const entry of entries) await collect(entry, out, entry.isFile);
  return out;
}

/** chosen are the files of a file or folder dialogue. */
export function chosen(list: FileList | null): Dropped {
  const all = [...(list ?? [])];
  const files = all.filter((f) => !f.webkitRelativePath || !hidden(f.webkitRelativePath)).slice(0, most);
  return { files, left: all.length - files.length };
}

async function collect(entry: FileSystemEntry, out: Dropped, named: boolean): Promise<void> {
  if (out.files.length >= most || (!named && hidden(entry.name))) {
    out.left++;
    return;
  }
  if (entry.isFile) {
    out.files.push(await new Promise<File>((yes, no) => (entry as FileSystemFileEntry).file(yes, no)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no)); // a hundred at a time, then none
    if (some.length === 0) return;
    for (const e of some) await collect(e, out, false);
  }
}
