// What draws the map: nodes by sigma on the graphics card, grounds, lines and names on canvases under and over them. It loads
// when the map is looked at, and knows nothing of the page.
import Graph from "graphology";
import Sigma from "sigma";
import type { NodeDisplayData } from "sigma/types";

import { coloursOf, edgeOf, fillOf, mix, type Colours } from "./colours";
import { drawGround, drawNames, drawRing, type View } from "./ground";
import type { PathNode } from "./kinds";
import { MarkProgram, shapes, type Marked } from "./mark";
import type { Placed } from "./place";
import type { Line } from "./sight";

/** Scene is what there is to see. */
export type Scene = { placed: Placed; lines: readonly Line[] };
/** Look is what is looked at: a node, its lines, and the other nodes that have to do with it. */
export type Look = { active: string; lines: readonly Line[]; bright: ReadonlySet<string> | null };
export type Events = { over: (id: string, x: number, y: number) => void; pick: (id: string) => void; lost: () => void };

export type Picture = { show: (scene: Scene) => void; look: (look: Look) => void; fly: (id: string, near?: boolean) => void; whole: () => void; zoom: (by: number) => void; end: () => void };

const nobody: Look = { active: "", lines: [], bright: null };

const rank = (n: PathNode) => (n.kind === "entry" ? 0 : n.jewel ? (n.reached ? 1 : 2) : n.on_path ? 3 : n.reached ? 4 : 5);

export function draw(place: HTMLElement, first: Scene, on: Events): Picture {
  const graph = new Graph();
  let scene = first, look = nobody, colours: Colours = coloursOf(), named: PathNode[] = [];
  const font = getComputedStyle(document.body).fontFamily;
  const rem = (parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const fill = () => {
    graph.clear();
    for (const n of scene.placed.order) {
      const spot = scene.placed.spots.get(n.id);
      const shape = n.jewel ? shapes.jewel : shapes[n.kind];
      if (spot) graph.addNode(n.id, { x: spot.x, y: -spot.y, size: spot.r, color: fillOf(n, colours), edge: edgeOf(n, colours), shape, type: "mark", zIndex: n.jewel ? 2 : n.on_path ? 1 : 0 });
    }
    named = [...scene.placed.order].sort((a, b) => rank(a) - rank(b) || b.chance - a.chance);
  };
  fill();

  const sigma = new Sigma(graph, place, {
    nodeProgramClasses: { mark: MarkProgram }, nodeHoverProgramClasses: { mark: MarkProgram }, defaultNodeType: "mark", itemSizesReference: "positions", zoomToSizeRatioFunction: (r) => r, zIndex: true,
    renderLabels: false, defaultDrawNodeHover: () => {}, stagePadding: 0, allowInvalidContainer: true, zoomDuration: still ? 0 : 160, inertiaDuration: still ? 0 : 200,
    nodeReducer: (id, data) => {
      const kept = data as NodeDisplayData & Marked;
      if (!look.bright || look.bright.has(id) || id === look.active) return kept;
      return { ...kept, color: mix(kept.color, colours.ground, 0.65), edge: mix(kept.edge, colours.ground, 0.65) } as Partial<NodeDisplayData>;
    },
  });
  sigma.createCanvasContext("ground", { beforeLayer: "edges" } as object).createCanvasContext("words", { afterLayer: "nodes" } as object); // where they lie is not in its types
  sigma.resize(true);
  const bounds = () => sigma.setCustomBBox({ x: [0, scene.placed.width], y: [-scene.placed.height, 0] });
  // Sigma fits a square; the map has a shape. fit is how far away the camera is when all of it fills the window.
  const gap = 16, nearest = 48; // pixels: the space around it, and what a unit is at most
  let fit = 1;
  const fitting = () => {
    const { width, height } = sigma.getDimensions();
    const one = (sigma.graphToViewport({ x: 1, y: 0 }).x - sigma.graphToViewport({ x: 0, y: 0 }).x) * sigma.getCamera().getState().ratio;
    const scale = Math.min((width - 2 * gap) / scene.placed.width, (height - 2 * gap) / scene.placed.height, nearest);
    const before = fit;
    fit = one > 0 && scale > 0 ? one / scale : 1;
    sigma.setSetting("maxCameraRatio", fit * 1.8);
    sigma.setSetting("minCameraRatio", Math.min(fit, one / 90));
    return before;
  };
  const whole = () => ({ x: 0.5, y: 0.5, ratio: fit });
  bounds();
  sigma.refresh();
  fitting();
  sigma.getCamera().setState({ ...whole(), angle: 0 });
  sigma.on("resize", () => {
    const { x, y, ratio } = sigma.getCamera().getState();
    const before = fitting();
    if (x === 0.5 && y === 0.5 && Math.abs(ratio - before) < 1e-6) sigma.getCamera().setState(whole());
  });

  const pens = (["ground", "words"] as const).map((name) => sigma.getCanvases()[name]!.getContext("2d")!);
  sigma.on("afterRender", () => {
    const { width, height } = sigma.getDimensions();
    const at = sigma.graphToViewport({ x: 0, y: 0 }), one = sigma.graphToViewport({ x: 1, y: 0 });
    const view: View = { x: at.x, y: at.y, scale: one.x - at.x, width, height, rem };
    for (const pen of pens) pen.clearRect(0, 0, width, height);
    drawGround(pens[0]!, view, scene, scene.lines, look.lines, colours, font);
    drawNames(pens[1]!, view, scene, named, look.active, look.bright, colours, font);
    const spot = scene.placed.spots.get(look.active);
    if (spot) drawRing(pens[1]!, view, spot, colours.accent);
  });

  sigma.on("enterNode", ({ node, event }) => on.over(node, event.x, event.y));
  sigma.on("leaveNode", () => on.over("", 0, 0));
  sigma.on("clickNode", ({ node }) => on.pick(node));
  sigma.on("clickStage", () => on.pick(""));
  sigma.on("doubleClickNode", (e) => e.preventSigmaDefault());
  const lost = (e: Event) => { e.preventDefault(); on.lost(); };
  const canvases = Object.values(sigma.getCanvases());
  for (const canvas of canvases) canvas.addEventListener("webglcontextlost", lost);
  const coloured = new MutationObserver(() => {
    colours = coloursOf();
    fill();
    sigma.refresh();
  });
  coloured.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });

  const move = (to: { x?: number; y?: number; ratio?: number }) => (still ? void sigma.getCamera().setState(to) : void sigma.getCamera().animate(to, { duration: 260 }));
  return {
    show(next) {
      if (next === scene) return;
      const other = next.placed !== scene.placed;
      scene = next;
      if (other) {
        fill();
        bounds();
        sigma.refresh();
        fitting();
        sigma.getCamera().setState(whole());
      } else sigma.refresh();
    },
    look(next) {
      const dimmed = look.bright !== next.bright;
      look = next;
      if (dimmed) sigma.refresh({ skipIndexation: true });
      else sigma.scheduleRender();
    },
    fly(id, near) {
      const data = sigma.getNodeDisplayData(id);
      if (!data) return;
      const { ratio } = sigma.getCamera().getState();
      const at = sigma.framedGraphToViewport(data), { width, height } = sigma.getDimensions();
      const inside = at.x > 8 && at.y > 8 && at.x < width - 8 && at.y < height - 8;
      if (!near && inside) return;
      const scale = sigma.graphToViewport({ x: 1, y: 0 }).x - sigma.graphToViewport({ x: 0, y: 0 }).x;
      move({ x: data.x, y: data.y, ratio: near && scale < 34 ? (ratio * scale) / 34 : ratio });
    },
    whole: () => move(whole()),
    zoom: (by) => move({ ratio: Math.min(fit * 1.8, sigma.getCamera().getState().ratio / by) }),
    end() {
      coloured.disconnect();
      for (const canvas of canvases) canvas.removeEventListener("webglcontextlost", lost);
      sigma.kill();
    },
  };
}

/** canDraw says whether this browser has what it takes. */
export function canDraw(): boolean {
  try {
    const gl = document.createElement("canvas").getContext("webgl2") ?? document.createElement("canvas").getContext("webgl");
    gl?.getExtension("WEBGL_lose_context")?.loseContext();
    return gl !== null;
  } catch {
    return false;
  }
}
