// Where files are dropped, or chosen by click and key.
import { Button } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { bytes } from "../../ui/numbers";
import { failed } from "../../ui/said";
import { chosen, filesOf, type Dropped } from "./folders";

export function Drop({ take, most }: { take: (d: Dropped) => void; most: number | undefined }) {
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const depth = useRef(0);
  useEffect(() => {
    folder.current?.setAttribute("webkitdirectory", ""); // React has no name for it
    const astray = (e: DragEvent) => e.preventDefault(); // a file dropped beside the zone must not replace the page
    window.addEventListener("dragover", astray);
    window.addEventListener("drop", astray);
    return () => {
      window.removeEventListener("dragover", astray);
      window.removeEventListener("drop", astray);
    };
  }, []);
  const drop = async (e: React.DragEvent) => {
    e.preventDefault();
    depth.current = 0;
    setOver(false);
    try {
      take(await filesOf(e.dataTransfer));
    } catch (error) {
      failed(error, "What was dropped could not be read");
    }
  };
  const picked = (e: React.ChangeEvent<HTMLInputElement>) => {
    take(chosen(e.currentTarget.files));
    e.currentTarget.value = ""; // so that the same file can be chosen again
  };
  return (
    <div className="drop" data-over={over || undefined} onDrop={(e) => void drop(e)} onDragOver={(e) => { e.preventDefault(); e.dataTransfer.dropEffect = "copy"; }}
      onDragEnter={() => { depth.current++; setOver(true); }} onDragLeave={() => { if (--depth.current <= 0) { depth.current = 0; setOver(false); } }}>
      <IconUpload size={26} stroke={1.5} aria-hidden="true" />
      <p><strong>{over ? "Let go to import them" : "Drop reports here"}</strong></p>
      <p className="dim">Files or whole folders, also packed with gzip or zstd{most ? `, up to ${bytes(most)} each` : ""}. Nothing leaves this server.</p>
      <div className="drop-buttons">
        <Button onClick={() => files.current?.click()}>Choose files</Button>
        <Button variant="default" onClick={() => folder.current?.click()}>Choose a folder</Button>
      </div>
      <input ref={files} type="file" multiple hidden onChange={picked} aria-label="Files to import" />
      <input ref={folder} type="file" multiple hidden onChange={picked} aria-label="Folder to import" />
    </div>
  );
}
