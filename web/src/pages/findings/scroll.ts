// Where the rows stand while a list is scrolled that is longer than a browser lets an element be. A million rows of 36 px
// are 36 million px; Firefox ends at 17.8 million, Chromium and Safari at 33.5 million. Small steps move the rows by just as
// much, long ones (the scroll bar) go to the same share of the list.

/** tallest is how high the scrolled element becomes at most, in px. */
export const tallest = 15_000_000;

/** Shape is how many rows there are, how high each is, and how much of them is seen, in px. */
export type Shape = { rows: number; row: number; view: number };

/** Spot is where the element stands, and where the list does. */
export type Spot = { top: number; at: number };

const all = (s: Shape) => Math.max(0, s.rows * s.row - s.view);
const own = (s: Shape) => Math.max(0, heightOf(s) - s.view);
const within = (n: number, most: number) => Math.min(Math.max(n, 0), most);

/** heightOf is how high the element becomes. */
export const heightOf = (s: Shape): number => Math.min(s.rows * s.row, tallest);

/** moved is where the list stands when the element was scrolled to top. */
export function moved(spot: Spot, top: number, s: Shape): Spot {
  const most = own(s);
  if (all(s) <= most) return { top, at: within(top, all(s)) };
  if (top <= 0) return { top, at: 0 };
  if (top >= most - 1) return { top, at: all(s) };
  const by = top - spot.top;
  const near = Math.abs(by) <= Math.max(3 * s.view, 2400);
  return { top, at: near ? within(spot.at + by, all(s)) : (top / most) * all(s) };
}

/** topOf is where the element has to be for the list to stand at at. */
export function topOf(at: number, s: Shape): number {
  if (all(s) <= own(s)) return within(at, all(s));
  // not quite at an end as long as the list is not: the ends are where small steps stop
  const top = (at / all(s)) * own(s);
  if (at <= 0 || at >= all(s)) return top;
  return within(top, own(s) - 2) < 2 ? 2 : within(top, own(s) - 2);
}

/** astray says whether small steps have led so far off that an end of the element would come before the end of the list. */
export function astray(spot: Spot, s: Shape): boolean {
  return Math.abs(topOf(spot.at, s) - spot.top) > 1;
}

/** seen is which rows are seen, the last one included, and by how many px the first one stands above the edge. */
export function seen(at: number, s: Shape): { first: number; last: number; above: number } {
  const first = Math.min(Math.floor(at / s.row), Math.max(0, s.rows - 1));
  const last = Math.min(Math.ceil((at + s.view) / s.row), s.rows) - 1;
  return { first, last: Math.max(first, last), above: at - first * s.row };
}

/** shown is where the list has to stand for a row to be seen whole, with as little movement as can be. */
export function shown(index: number, at: number, s: Shape): number {
  const top = index * s.row;
  if (top < at) return within(top, all(s));
  if (top + s.row > at + s.view) return within(top + s.row - s.view, all(s));
  return at;
}
