// One answer, with everything by which it can be checked.
import { CopyButton } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconClockExclamation, IconCopy, IconInfoCircle, IconListDetails, IconTerminal2 } from "@tabler/icons-react";
import { Fragment, useMemo } from "react";

import { base } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { Chip } from "../../ui/words";
import { Judge } from "./Judge";
import type { Answer, Facts } from "./kinds";
import { Marked } from "./Marked";
import { kindWord, Opens, Sources } from "./Sources";
import { freshWords, homeOf, markdownOf, newlyMissing, readAs, staleWords, sureWords, tableOf, waysOn } from "./words";

/** Answered is an answer that is whole. */
export function Answered({ answer, renew }: { answer: Answer; renew: (answer: Answer) => void }) {
  return (
    <>
      {readAs(answer) && <ReadAs understood={answer.understood} corrected={answer.corrected} />}
      <div className={answer.refused ? "ask-refused" : undefined}>
        {answer.refused && <IconInfoCircle className="ask-refused-icon" size={18} stroke={1.7} aria-hidden="true" />}
        <div>
          <Marked text={answer.answer} sources={answer.sources} />
          {answer.refused && <WaysOn answer={answer} />}
        </div>
      </div>
      <FactTable facts={answer.facts} listed={/^\s*- /m.test(answer.answer)} />
      <Notes answer={answer} />
      <Foot answer={answer} renew={renew} />
      <Sources sources={answer.sources} />
    </>
  );
}

export function ReadAs({ understood, corrected }: Pick<Answer, "understood" | "corrected">) {
  return (
    <p className="ask-read">
      Read as: <Inert text={understood} />
      {corrected.map((c) => <Fragment key={c.from + c.to}> <span className="nowrap">(<s><Inert text={c.from} /></s> → <Inert text={c.to} />)</span></Fragment>)}
    </p>
  );
}

function WaysOn({ answer }: { answer: Answer }) {
  const ways = waysOn(answer);
  const missing = newlyMissing(answer);
  return (
    <>
      {missing.length > 0 && <p className="ask-missing">Missing: <Inert text={missing.join("; ")} /></p>}
      {ways.length > 0 && <div className="ask-chips">{ways.map((w) => <Opens key={w.to} url={w.to} className="ask-chip">{w.name}</Opens>)}</div>}
    </>
  );
}

function FactTable({ facts, listed }: { facts: Facts | null; listed: boolean }) {
  const table = tableOf(facts);
  if (!table) return null;
  const rows = (
    <div className="scroll-x">
      <table className="table ask-table">
        <thead><tr><th scope="col">{kindWord(table.items[0]!.kind)}</th>{table.counts && <th scope="col" className="right">Number</th>}{table.values && <th scope="col">Value</th>}</tr></thead>
        <tbody>
          {table.items.map((i, n) => (
            <tr key={n}><td><Opens url={homeOf(i.kind, i.id)}><Inert text={i.name || i.id} /></Opens></td>{table.counts && <td className="right num">{i.count?.toLocaleString() ?? <Missing />}</td>}{table.values && <td><Inert text={i.value} /></td>}</tr>
          ))}
        </tbody>
      </table>
      {facts!.more > 0 && <p className="dim ask-more">and {facts!.more.toLocaleString()} more</p>}
    </div>
  );
  // The words list them already: the table is for those who want to copy it.
  return listed ? <details className="ask-as-table"><summary>As a table</summary>{rows}</details> : rows;
}

/** Notes say what to keep in mind: data that is old, a model that wrote what no record says. */
function Notes({ answer }: { answer: Answer }) {
  const stale = staleWords(answer.data);
  const { model } = answer;
  return (
    <>
      {stale && <p className="ask-note"><IconClockExclamation size={15} stroke={1.7} aria-hidden="true" /><span>Old or missing: <Inert text={stale} /></span></p>}
      {model?.marked && <p className="ask-note"><IconAlertTriangle size={15} stroke={1.7} aria-hidden="true" /><span>Something that <Inert text={model.name} /> wrote was cut, since no record says so{model.cut.length > 0 && <>: <Inert text={model.cut.join("; ")} /></>}</span></p>}
      {model && !model.used && <p className="ask-note dim"><IconInfoCircle size={15} stroke={1.7} aria-hidden="true" /><span>Composed without <Inert text={model.name} />{model.error && <>: <Inert text={model.error} /></>}</span></p>}
    </>
  );
}

function Foot({ answer, renew }: { answer: Answer; renew: (answer: Answer) => void }) {
  const sure = sureWords[answer.sure];
  const fresh = staleWords(answer.data) ? "" : freshWords(answer.data); // what is old is said above
  return (
    <div className="ask-foot">
      {sure && !answer.refused && <Chip tone={sure.tone} title={`${Math.round(answer.confidence * 100)} % likely to be right, by questions with known answers`}>{sure.word}</Chip>}
      {answer.model?.used && <span className="dim" title="each sentence was checked against the records">worded by <Inert text={answer.model.name} />, checked</span>}
      {fresh && <span className="dim ask-fresh" title={fresh}>data: <Inert text={fresh} /></span>}
      <span className="ask-foot-acts">
        {answer.link && !answer.refused && <Opens url={answer.link} className="ask-act"><IconListDetails size={15} stroke={1.7} aria-hidden="true" />Open as list</Opens>}
        {answer.command && <Copy value={answer.command} name="Command" says={`Copy the command: ${answer.command}`} icon={<IconTerminal2 size={15} stroke={1.7} aria-hidden="true" />} />}
        <CopyAnswer answer={answer} />
        {answer.id > 0 && <Judge answer={answer} renew={renew} />}
      </span>
    </div>
  );
}

function CopyAnswer({ answer }: { answer: Answer }) {
  const text = useMemo(() => markdownOf(answer, base.href), [answer]);
  return <Copy value={text} name="Copy" says="Copy the answer with its sources as Markdown" icon={<IconCopy size={15} stroke={1.7} aria-hidden="true" />} />;
}

function Copy({ value, name, says, icon }: { value: string; name: string; says: string; icon: React.ReactNode }) {
  return (
    <CopyButton value={value} timeout={2000}>
      {({ copied, copy }) => (
        <button type="button" className="ask-act" onClick={copy} title={says} aria-label={says}>
          {copied ? <IconCheck size={15} stroke={1.7} aria-hidden="true" /> : icon}
          <span aria-live="polite">{copied ? "Copied" : name}</span>
        </button>
      )}
    </CopyButton>
  );
}
