import { describe, expect, it } from "vitest";

import { astray, heightOf, moved, seen, shown, tallest, topOf, type Shape, type Spot } from "./scroll";

const million: Shape = { rows: 1_000_000, row: 36, view: 720 };
const small: Shape = { rows: 500, row: 36, view: 720 };
const end = million.rows * million.row - million.view;

describe("a list that fits", () => {
  it("stands where the element stands", () => {
    expect(heightOf(small)).toBe(18_000);
    expect(moved({ top: 0, at: 0 }, 360, small)).toEqual({ top: 360, at: 360 });
    expect(topOf(360, small)).toBe(360);
    expect(astray({ top: 360, at: 360 }, small)).toBe(false);
  });
});

describe("a million rows", () => {
  it("are never higher than a browser can", () => expect(heightOf(million)).toBe(tallest));
  it("move by as much as the wheel does", () => {
    const spot = moved({ top: 5_000_000, at: 12_000_000 }, 5_000_120, million);
    expect(spot).toEqual({ top: 5_000_120, at: 12_000_120 });
  });
  it("go to the same share of the list with the scroll bar", () => {
    const half = moved({ top: 0, at: 0 }, (tallest - million.view) / 2, million);
    expect(half.at).toBeCloseTo(end / 2, 3);
  });
  it("have both ends", () => {
    expect(moved({ top: 3000, at: 7000 }, 0, million).at).toBe(0);
    expect(moved({ top: 1, at: 1 }, tallest - million.view, million).at).toBe(end);
    expect(seen(end, million)).toMatchObject({ first: 999_980, last: 999_999 });
  });
  it("come back to their share after many small steps, and no end comes too early", () => {
    let spot: Spot = { top: topOf(72_000, million), at: 72_000 };
    for (let i = 0; i < 100; i++) {
      spot = moved(spot, spot.top - 100, million);
      if (astray(spot, million)) spot = { top: topOf(spot.at, million), at: spot.at };
    }
    expect(spot.at).toBe(62_000);
    expect(topOf(1, million)).toBeGreaterThanOrEqual(1);
    expect(topOf(end - 1, million)).toBeLessThan(tallest - million.view - 1);
  });
});

describe("what is seen", () => {
  it("counts the row that is cut", () => {
    expect(seen(18, small)).toEqual({ first: 0, last: 20, above: 18 });
    expect(seen(0, { rows: 3, row: 36, view: 720 })).toEqual({ first: 0, last: 2, above: 0 });
  });
  it("moves as little as can be to show a row", () => {
    expect(shown(3, 0, small)).toBe(0);
    expect(shown(20, 0, small)).toBe(36);
    expect(shown(2, 360, small)).toBe(72);
    expect(shown(999_999, 0, million)).toBe(end);
  });
});
