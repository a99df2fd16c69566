import type { Schema } from "../../api/client";
import { Inert } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Day } from "../../ui/when";
import { publisherOf, restsOn, sourcesOf } from "./story";

const topics: Record<string, string> = { what: "What it is", attack: "How it is attacked", rating: "How bad, how likely", use: "Whether it is used", do: "What to do" };

/** Explanation is the CVE in plain words; below each sentence stands what it rests on. */
export function Explanation({ cve }: { cve: Schema<"CVE"> }) {
  return (
    <Panel title="In plain words">
      <dl className="cve-plain">
        {cve.explanation.map((s, i) => (
          <div key={i}>
            <dt>{topics[s.topic] ?? <Inert text={s.topic} />}</dt>
            <dd>
              <Inert text={s.text} />
              <Rests sentence={s} cve={cve} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Rests({ sentence, cve }: { sentence: Schema<"Sentence">; cve: Schema<"CVE"> }) {
  const sources = sourcesOf(sentence, cve.provenance);
  return (
    <small className="dim">
      Rests on {restsOn(sentence).join(", ")}
      {sources.map((s) => <span key={s.source}> · {publisherOf(s.source)}{s.date && <>, <Day at={s.date} /></>}</span>)}
    </small>
  );
}
