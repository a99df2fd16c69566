// Whether an answer was good, in one click, and why where somebody wants to say it.
import { Button, TextInput } from "@mantine/core";
import { IconThumbDown, IconThumbDownFilled, IconThumbUp, IconThumbUpFilled } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";

import { failed, said } from "../../ui/said";
import { judge } from "./ask";
import type { Answer } from "./kinds";

export function Judge({ answer, renew }: { answer: Answer; renew: (answer: Answer) => void }) {
  const [asks, setAsks] = useState(false);
  const [text, setText] = useState("");
  const good = answer.feedback?.good;
  const say = async (yes: boolean, comment: string) => {
    try {
      renew(await judge(answer.id, yes, comment));
      return true;
    } catch (error) {
      failed(error, "Your word was not kept");
      return false;
    }
  };
  const thumb = (yes: boolean) => void say(yes, answer.feedback?.comment ?? "").then((kept) => setAsks(kept && !answer.feedback?.comment));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void say(good ?? false, text.trim()).then((kept) => {
      if (!kept) return;
      setAsks(false);
      said("Thank you: your comment is kept with the answer.");
    });
  };
  return (
    <>
      <button type="button" className="ask-act" aria-label="A good answer" title="A good answer" aria-pressed={good === true} onClick={() => thumb(true)}>{good === true ? <IconThumbUpFilled size={15} aria-hidden="true" /> : <IconThumbUp size={15} stroke={1.7} aria-hidden="true" />}</button>
      <button type="button" className="ask-act" aria-label="Not a good answer" title="Not a good answer" aria-pressed={good === false} onClick={() => thumb(false)}>{good === false ? <IconThumbDownFilled size={15} aria-hidden="true" /> : <IconThumbDown size={15} stroke={1.7} aria-hidden="true" />}</button>
      {asks && (
        <form className="ask-why" onSubmit={submit}>
          <TextInput size="xs" aria-label={good ? "What was good" : "What was wrong"} placeholder={good ? "What was good? (optional)" : "What was wrong or missing? (optional)"} maxLength={2000} value={text} onChange={(e) => setText(e.currentTarget.value)} />
          <Button size="xs" type="submit" variant="default" disabled={text.trim() === ""}>Send</Button>
        </form>
      )}
    </>
  );
}
