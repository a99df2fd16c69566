// An answer's words, with its citations as links to what they rest on.
import { Tooltip } from "@mantine/core";
import { Fragment, useMemo } from "react";

import { Inert, plain } from "../../ui/inert";
import type { Source } from "./kinds";
import { blocksOf, type Span } from "./markup";
import { Opens, SourceIcon } from "./Sources";
import { nameOf } from "./words";

/** Marked shows a text with the little markup that answers have. unfinished puts a mark where more is to come. */
export function Marked({ text, sources, unfinished }: { text: string; sources: Source[]; unfinished?: boolean }) {
  const blocks = useMemo(() => blocksOf(text, (n) => sources.some((s) => s.n === n)), [text, sources]);
  const spans = (list: Span[]) => list.map((s, i) => <One key={i} span={s} sources={sources} />);
  return (
    <div className="ask-words" data-unfinished={unfinished || undefined}>
      {blocks.map((b, i) =>
        b.is === "list" ? (
          <ul key={i}>{b.items.map((item, n) => <li key={n}>{spans(item)}</li>)}</ul>
        ) : (
          <p key={i}>{b.lines.map((line, n) => <Fragment key={n}>{n > 0 && <br />}{spans(line)}</Fragment>)}</p>
        ),
      )}
    </div>
  );
}

function One({ span, sources }: { span: Span; sources: Source[] }) {
  if (span.is === "text") return <Inert text={span.text} />;
  if (span.is === "code") return <code><Inert text={span.text} /></code>;
  if (span.is === "bold") return <strong>{span.spans.map((s, i) => <One key={i} span={s} sources={sources} />)}</strong>;
  const source = sources.find((s) => s.n === span.n);
  return source ? <Cite source={source} /> : <>[{span.n}]</>;
}

/** Cite is the number of a source: pointed at or focused it shows the record, opened it goes there. */
function Cite({ source }: { source: Source }) {
  return (
    <Tooltip label={<Brief source={source} />} multiline w={320} classNames={{ tooltip: "ask-brief" }} openDelay={150} withArrow={false} portalProps={{ target: "#main" }}>
      <Opens url={source.url} className="ask-cite" label={`Source ${source.n}: ${plain(nameOf(source))}`}>{source.n}</Opens>
    </Tooltip>
  );
}

function Brief({ source }: { source: Source }) {
  return (
    <>
      <span className="ask-brief-name"><SourceIcon kind={source.kind} /><Inert text={nameOf(source)} /></span>
      {source.text && <span className="ask-brief-text"><Inert text={source.text.slice(0, 240)} />{source.text.length > 240 && " …"}</span>}
    </>
  );
}
