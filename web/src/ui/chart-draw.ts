// What draws charts: the parts of ECharts that are used, as SVG, in the colours of the page.
import { BarChart, LineChart, type BarSeriesOption, type LineSeriesOption } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent, type GridComponentOption, type MarkLineComponentOption, type TooltipComponentOption } from "echarts/components";
import { init, use, type ComposeOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, BarChart, GridComponent, TooltipComponent, MarkLineComponent, SVGRenderer]);

export type Option = ComposeOption<LineSeriesOption | BarSeriesOption | GridComponentOption | TooltipComponentOption | MarkLineComponentOption>;

/** Colours are those of the page, light or dark. */
export type Colours = { ink: string; dim: string; line: string; raised: string; accent: string; good: string; critical: string; high: string; medium: string; low: string; info: string };

/** Shape is what to draw, and what to say where the pointer is: a heading, and names with values. */
export type Shape = { option: (colours: Colours) => Option; tip?: (index: number) => { title: string; lines: [name: string, value: string][] } };

export type Drawing = { show: (shape: Shape) => void; end: () => void };

const variables: Record<keyof Colours, string> = {
  ink: "--ink", dim: "--mantine-color-dimmed", line: "--line", raised: "--raised", accent: "--mantine-color-anchor", good: "--good",
  critical: "--fill-critical", high: "--fill-high", medium: "--fill-medium", low: "--fill-low", info: "--fill-info",
};

function coloursOf(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = Object.entries(variables).map(([name, variable]) => [name, style.getPropertyValue(variable).trim() || "#888888"]);
  return Object.fromEntries(read) as Colours;
}

/** draw fills a place with a chart that follows its size and the page's colours, until its end. */
export function draw(place: HTMLElement, first: Shape): Drawing {
  const chart = init(place, undefined, { renderer: "svg" });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let shape = first;
  const paint = () => {
    const colours = coloursOf();
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    chart.setOption({ ...base(colours, size, still), tooltip: tooltip(shape, colours, size), ...shape.option(colours) }, { notMerge: true });
  };
  paint();
  const sized = new ResizeObserver(() => chart.resize());
  sized.observe(place);
  const coloured = new MutationObserver(paint);
  coloured.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  return {
    show(next) {
      if (next === shape) return;
      shape = next;
      paint();
    },
    end() {
      sized.disconnect();
      coloured.disconnect();
      chart.dispose();
    },
  };
}

function base(colours: Colours, size: number, still: boolean): Option {
  return {
    animation: !still, animationDuration: 250, animationDurationUpdate: 200,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: size * 0.75, color: colours.dim },
  };
}

function tooltip(shape: Shape, colours: Colours, size: number): TooltipComponentOption {
  if (!shape.tip) return { show: false };
  return {
    trigger: "axis", confine: true, transitionDuration: 0, backgroundColor: colours.raised, borderColor: colours.line, borderWidth: 1, padding: [7, 10],
    textStyle: { color: colours.ink, fontSize: size * 0.75 }, axisPointer: { type: "line", lineStyle: { color: colours.dim, type: "solid" } },
    formatter: (at: unknown) => {
      const point = (Array.isArray(at) ? at[0] : at) as { dataIndex?: number } | undefined;
      return words(shape.tip!(point?.dataIndex ?? 0));
    },
  };
}

// Built as elements, never from markup: names may come from outside, and the page's policy takes no styles from markup.
function words({ title, lines }: { title: string; lines: [string, string][] }): HTMLElement {
  const box = document.createElement("div");
  const head = box.appendChild(document.createElement("div"));
  head.textContent = title;
  head.style.fontWeight = "600";
  for (const [name, value] of lines) {
    const line = box.appendChild(document.createElement("div"));
    line.style.cssText = "display:flex;justify-content:space-between;gap:16px";
    line.appendChild(document.createElement("span")).textContent = name;
    const number = line.appendChild(document.createElement("span"));
    number.textContent = value;
    number.style.fontVariantNumeric = "tabular-nums";
  }
  return box;
}
