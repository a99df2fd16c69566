// Nobody has said which hosts matter: how to name some, with a search that does it here.
import { Button, Popover } from "@mantine/core";
import { IconCrown } from "@tabler/icons-react";
import { useState } from "react";

import { api } from "../../api/client";
import { useMay } from "../../api/session";
import { failed, said } from "../../ui/said";
import { renew } from "./ask";
import { HostSearch } from "./EndPick";

async function name(id: number) {
  try {
    const { data } = await api.GET("/api/v1/assets/{id}", { params: { path: { id } } });
    await api.PATCH("/api/v1/assets/{id}", { params: { path: { id } }, body: { tags: ["jewel"] } });
    said(`${data?.address ?? data?.hostnames[0] ?? `Host ${id}`} is a jewel now; paths are worked out anew.`);
  } catch (error) {
    failed(error, "It was not named");
  }
  await renew();
}

export function NoJewel() {
  const may = useMay("analyst");
  const [open, setOpen] = useState(false);
  return (
    <div className="pa-no-jewel" role="note">
      <IconCrown size={17} stroke={1.6} aria-hidden="true" />
      <p><b>No jewel is named.</b> Name the hosts that matter most, and paths lead to them: <code>patchscout assets tag HOST jewel --criticality 5</code></p>
      {may && (
        <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" width={300} trapFocus returnFocus>
          <Popover.Target><Button variant="default" size="compact-sm" onClick={() => setOpen(!open)}>Name a jewel</Button></Popover.Target>
          <Popover.Dropdown p={6} aria-label="Name a jewel"><HostSearch label="Which host matters most?" choose={(id) => { setOpen(false); void name(id); }} /></Popover.Dropdown>
        </Popover>
      )}
    </div>
  );
}
