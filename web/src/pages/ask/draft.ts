import { useState } from "react";

import { queries } from "../../api/client";

// What was typed and not sent stays while its writer looks elsewhere. It is kept with the answers of the server, so that it
// goes with them when somebody else signs in.
queries.setQueryDefaults(["ask-draft"], { gcTime: Infinity });

export function useDraft(name: "page" | "panel", begins = ""): [string, (text: string) => void] {
  const [text, setText] = useState(() => begins || queries.getQueryData<string>(["ask-draft", name]) || "");
  return [text, (next) => {
    setText(next);
    queries.setQueryData(["ask-draft", name], next);
  }];
}
