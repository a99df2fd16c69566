// What lies under and over the nodes: the grounds of sites with their titles, the lines, and names where there is room.
import { plain } from "../../../ui/inert";
import { percent } from "../../../ui/numbers";
import type { Colours } from "./colours";
import { mix } from "./colours";
import type { Scene } from "./draw";
import type { PathNode } from "./kinds";
import type { Spot } from "./place";
import type { Known, Line } from "./sight";
import { nameOf } from "./words";

/** View is how units of the map become pixels of the window, which is width by height; rem is how large letters are against the usual. */
export type View = { x: number; y: number; scale: number; width: number; height: number; rem: number };

type Pen = CanvasRenderingContext2D;

export const dashes: Record<Known, number[]> = { observed: [], policy: [7, 3], assumed: [2, 4] };

const px = (v: View, s: Spot) => ({ x: v.x + s.x * v.scale, y: v.y + s.y * v.scale });

export function drawGround(pen: Pen, v: View, scene: Scene, lines: readonly Line[], focus: readonly Line[], c: Colours, font: string) {
  for (const f of scene.placed.frames) {
    const x = v.x + f.x * v.scale, y = v.y + f.y * v.scale, w = f.w * v.scale, h = f.h * v.scale;
    if (x > v.width || y > v.height || x + w < 0 || y + h < 0) continue;
    pen.fillStyle = c.raised;
    pen.strokeStyle = f.far === null ? c.line : c.strong;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(x, y, w, h, Math.min(8, 0.6 * v.scale));
    pen.fill();
    pen.stroke();
  }
  const dimmed = focus.length > 0;
  drawLines(pen, v, scene, lines.filter((l) => !l.way), mix(c.ground, c.dim, dimmed ? 0.3 : 0.6), 1, false);
  drawLines(pen, v, scene, lines.filter((l) => l.way), dimmed ? mix(c.ground, c.accent, 0.45) : c.accent, 2, true);
  drawLines(pen, v, scene, focus.filter((l) => !l.way), c.ink, 1.25, focus.length < 400);
  drawLines(pen, v, scene, focus.filter((l) => l.way), c.accent, 2.75, true);
  for (const f of scene.placed.frames) title(pen, v, f, c, font);
}

function title(pen: Pen, v: View, f: Scene["placed"]["frames"][number], c: Colours, font: string) {
  const x = v.x + f.x * v.scale, y = v.y + f.y * v.scale, room = f.w * v.scale;
  if (x > v.width || y > v.height + 20 || x + room < 0 || y < 0 || room < 28) return;
  const size = v.rem * Math.max(10, Math.min(13, room / 7));
  pen.font = `600 ${size}px ${font}`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  const name = fitting(pen, plain(f.name), room - 2);
  halo(pen, name, x + 1, y - 6, c.ink, c.ground);
  const after = pen.measureText(name).width + 8;
  pen.font = `450 ${size - 1}px ${font}`;
  const says = f.far === null ? `${f.hosts.toLocaleString()}, none reached` : `${f.reached.toLocaleString()} of ${f.hosts.toLocaleString()} reached`;
  if (after + pen.measureText(says).width < room) halo(pen, says, x + 1 + after, y - 6, c.dim, c.ground);
}

function halo(pen: Pen, text: string, x: number, y: number, ink: string, ground: string) {
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text, x, y);
  pen.fillStyle = ink;
  pen.fillText(text, x, y);
}

// Lines of one look are one stroke: a thousand of them cost little more than one.
function drawLines(pen: Pen, v: View, scene: Scene, lines: readonly Line[], colour: string, wide: number, tips: boolean) {
  pen.strokeStyle = pen.fillStyle = colour;
  for (const known of ["assumed", "policy", "observed"] as const) {
    pen.lineWidth = known === "assumed" ? wide * 0.8 : wide;
    pen.setLineDash(dashes[known].map((d) => d * Math.max(1, wide / 1.5)));
    pen.beginPath();
    const heads: [number, number, number][] = [];
    for (const l of lines) {
      const a = scene.placed.spots.get(l.from), b = scene.placed.spots.get(l.to);
      if (l.known !== known || !a || !b) continue;
      const p = px(v, a), q = px(v, b);
      if (Math.max(p.x, q.x) < 0 || Math.max(p.y, q.y) < 0 || Math.min(p.x, q.x) > v.width || Math.min(p.y, q.y) > v.height) continue;
      const turn = Math.atan2(q.y - p.y, q.x - p.x), short = Math.max(b.r * v.scale, 4) + 1;
      pen.moveTo(p.x, p.y);
      pen.lineTo(q.x - short * Math.cos(turn), q.y - short * Math.sin(turn));
      if (tips && Math.hypot(q.x - p.x, q.y - p.y) > 14) heads.push([q.x - short * Math.cos(turn), q.y - short * Math.sin(turn), turn]);
    }
    pen.stroke();
    pen.setLineDash([]);
    for (const [x, y, turn] of heads) tip(pen, x, y, turn, 3.2 + wide);
  }
}

function tip(pen: Pen, x: number, y: number, turn: number, long: number) {
  pen.beginPath();
  pen.moveTo(x + 1.5 * Math.cos(turn), y + 1.5 * Math.sin(turn));
  for (const side of [0.45, -0.45]) pen.lineTo(x - long * 1.6 * Math.cos(turn + side), y - long * 1.6 * Math.sin(turn + side));
  pen.closePath();
  pen.fill();
}

/** drawNames writes names, what matters most first, each only where nothing is written yet. */
export function drawNames(pen: Pen, v: View, scene: Scene, named: readonly PathNode[], active: string, bright: ReadonlySet<string> | null, c: Colours, font: string) {
  const taken: [number, number, number, number][] = [];
  const all = v.scale >= 24;
  const few = bright !== null && bright.size <= 12;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  for (const n of named) {
    const spot = scene.placed.spots.get(n.id);
    const special = n.kind === "entry" || n.jewel || (n.on_path && v.scale >= 13) || n.id === active || (few && bright.has(n.id));
    if (!spot || n.kind === "site" || (!special && !all)) continue;
    const { x, y } = px(v, spot);
    if (x < 0 || y < -20 || x > v.width || y > v.height + 20) continue;
    const strong = n.kind === "entry" || n.jewel || n.id === active;
    pen.font = `${strong ? 600 : 450} ${11 * v.rem}px ${font}`;
    const room = special ? 150 * v.rem : Math.max(40, 2.5 * v.scale);
    const text = fitting(pen, plain(nameOf(n)) + (n.reached && n.kind !== "entry" && (n.jewel || n.id === active) ? ` ${percent(n.chance)}` : ""), room);
    const w = pen.measureText(text).width, middle = Math.max(w / 2 + 5, Math.min(v.width - w / 2 - 5, x)), down = Math.max(spot.r * v.scale, 6) + 8 * v.rem;
    const box: [number, number, number, number] = [middle - w / 2 - 3, y + down - 7 * v.rem, w + 6, 14 * v.rem];
    if (n.id !== active && taken.some((t) => box[0] < t[0] + t[2] && t[0] < box[0] + box[2] && box[1] < t[1] + t[3] && t[1] < box[1] + box[3])) continue;
    taken.push(box);
    pen.globalAlpha = 0.82;
    pen.fillStyle = c.raised;
    pen.fillRect(...box);
    pen.globalAlpha = bright && !bright.has(n.id) && n.id !== active ? 0.45 : 1;
    pen.fillStyle = strong ? c.ink : c.dim;
    pen.fillText(text, middle, y + down);
    pen.globalAlpha = 1;
  }
}

/** drawRing shows which node is looked at. */
export function drawRing(pen: Pen, v: View, spot: Spot, colour: string) {
  const { x, y } = px(v, spot);
  pen.strokeStyle = colour;
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.arc(x, y, Math.max(spot.r * v.scale, 5) + 4, 0, 2 * Math.PI);
  pen.stroke();
}

/** fitting cuts a text to a width. */
function fitting(pen: Pen, text: string, room: number): string {
  if (text.length > 200) text = text.slice(0, 200);
  if (pen.measureText(text).width <= room) return text;
  let least = 1, most = text.length;
  while (least < most) {
    const half = Math.ceil((least + most) / 2);
    if (pen.measureText(text.slice(0, half) + "…").width <= room) least = half;
    else most = half - 1;
  }
  return text.slice(0, least) + "…";
}
