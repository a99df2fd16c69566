// Where the boxes and lines of a path stand. Columns go from left to right; what does not fit goes on in a band below, and
// on a phone all of it goes down.
import type { Hop } from "./hops";

export type Box = { x: number; y: number; w: number; h: number };
export type Line = { from: number; to: number; d: string };
/** Drawing has the boxes of where he begins (0) and of the hops, the lines between them, and a place for the words of each hop. */
export type Drawing = { boxes: Box[]; words: Box[]; lines: Line[]; width: number; height: number; down: boolean };

// In parts of the letter's size: the least and the most that boxes and the gaps between them take.
const sizes = { node: [6.6, 11], entry: [5.2, 8], gap: [6.4, 11] } as const;
const high = 3.5, between = 1.5, bandGap = 1.6;

/** drawingOf lays hops out in a width. */
export function drawingOf(hops: Hop[], width: number, rem = 16): Drawing {
  return width < 26 * rem ? downwards(hops, width, rem) : across(hops, width, rem);
}

const part = ([least, most]: readonly [number, number], t: number, rem: number) => (least + (most - least) * t) * rem;

/** wideOf is how wide a band of columns is; the first begins with the entry, the others with room for a line that comes from above. */
const wideOf = (columns: number, first: boolean, t: number, rem: number) =>
  first ? part(sizes.entry, t, rem) + (columns - 1) * (part(sizes.node, t, rem) + part(sizes.gap, t, rem)) : columns * (part(sizes.node, t, rem) + part(sizes.gap, t, rem));

/** bandsOf says how many columns stand in each band. */
export function bandsOf(columns: number, width: number, rem: number): number[] {
  if (wideOf(columns, true, 0, rem) <= width) return [columns];
  let first = 1, other = 1;
  while (wideOf(first + 1, true, 0, rem) <= width) first++;
  while (wideOf(other + 1, false, 0, rem) <= width) other++;
  const bands = 1 + Math.ceil((columns - first) / other);
  const even = Math.ceil(columns / bands);
  const all = [Math.min(first, Math.max(even, columns - (bands - 1) * other))];
  for (let left = columns - all[0]!; left > 0; left -= all[all.length - 1]!) all.push(Math.min(other, left, Math.ceil(left / Math.max(1, bands - all.length))));
  return all;
}

function across(hops: Hop[], width: number, rem: number): Drawing {
  const columns = 1 + Math.max(0, ...hops.map((h) => h.column));
  const bands = bandsOf(columns, width, rem);
  let t = 1;
  while (t > 0 && bands.some((n, i) => wideOf(n, i === 0, t, rem) > width)) t = Math.max(0, t - 0.05);
  const node = part(sizes.node, t, rem), entry = part(sizes.entry, t, rem), gap = part(sizes.gap, t, rem);
  const lanes = new Array<number>(columns).fill(1);
  for (const h of hops) lanes[h.column] = Math.max(lanes[h.column]!, h.lane + 1);
  const places: { x: number; top: number; deep: number; band: number }[] = [];
  let top = 0, column = 0;
  bands.forEach((n, band) => {
    const deep = Math.max(...lanes.slice(column, column + n)) * (high + between) * rem - between * rem;
    let x = band === 0 ? 0 : gap;
    for (let i = 0; i < n; i++, column++) {
      places.push({ x, top, deep, band });
      x += (column === 0 ? entry : node) + gap;
    }
    top += deep + bandGap * rem;
  });
  const boxOf = (at: number, lane: number): Box => {
    const p = places[at]!;
    const own = lanes[at]! * (high + between) * rem - between * rem;
    return { x: p.x, y: p.top + (p.deep - own) / 2 + lane * (high + between) * rem, w: at === 0 ? entry : node, h: high * rem };
  };
  const boxes = [boxOf(0, 0), ...hops.map((h) => boxOf(h.column, h.lane))];
  const words = hops.map((h) => { const b = boxes[h.at]!; return { x: b.x - gap, y: b.y, w: gap, h: b.h }; });
  const bandOf = (at: number) => places[at === 0 ? 0 : hops[at - 1]!.column]!.band;
  const lines = hops.flatMap((h) => h.from.map((f) => ({ from: f, to: h.at, d: bandOf(f) === bandOf(h.at) ? straight(boxes[f]!, boxes[h.at]!) : around(boxes[f]!, boxes[h.at]!, gap, rem) })));
  return { boxes, words, lines, width, height: top - bandGap * rem, down: false };
}

const n = (x: number) => Math.round(x * 10) / 10;

function straight(a: Box, b: Box): string {
  const [x, y, u, v] = [a.x + a.w, a.y + a.h / 2, b.x, b.y + b.h / 2];
  if (Math.abs(y - v) < 1) return `M${n(x)} ${n(y)}H${n(u)}`;
  const m = Math.min(24, (u - x) / 2);
  return `M${n(x)} ${n(y)}H${n(u - 3 * m)}C${n(u - 2 * m)} ${n(y)} ${n(u - 3 * m)} ${n(v)} ${n(u - 2 * m)} ${n(v)}H${n(u)}`;
}

// Down from its box, back to the left between the bands, and into the first box of the next one.
function around(a: Box, b: Box, gap: number, rem: number): string {
  const r = 0.4 * rem, x = a.x + a.w / 2, turn = b.y - (bandGap / 2) * rem, left = b.x - gap + r, y = b.y + b.h / 2;
  return `M${n(x)} ${n(a.y + a.h)}V${n(turn - r)}Q${n(x)} ${n(turn)} ${n(x - r)} ${n(turn)}H${n(left + r)}Q${n(left)} ${n(turn)} ${n(left)} ${n(turn + r)}V${n(y - r)}Q${n(left)} ${n(y)} ${n(left + r)} ${n(y)}H${n(b.x)}`;
}

function downwards(hops: Hop[], width: number, rem: number): Drawing {
  const space = 2.9 * rem, left = 1.5 * rem, tall = 3.1 * rem;
  const boxes = [0, ...hops].map((_, i) => ({ x: 0, y: i * (tall + space), w: width, h: tall }));
  const words = hops.map((h) => ({ x: left + 0.6 * rem, y: boxes[h.at]!.y - space, w: width - left - 0.6 * rem, h: space }));
  const lines = hops.flatMap((h) => h.from.map((f) => {
    const a = boxes[f]!, b = boxes[h.at]!;
    const x = f === h.at - 1 ? left : left - 0.8 * rem;
    return { from: f, to: h.at, d: `M${n(x)} ${n(a.y + a.h)}V${n(b.y)}` };
  }));
  return { boxes, words, lines, width, height: boxes[boxes.length - 1]!.y + tall, down: true };
}
