import { describe, expect, it } from "vitest";

import { Book, pageRows, type Answer, type Ask } from "./book";

type Row = { id: number };

// A server with rows 1..n whose cursors are the number of the row before.
const answer = (n: number, ask: Ask): Answer<Row> => {
  const from = Number(ask.cursor ?? 0);
  const to = Math.min(from + ask.pages * pageRows, n);
  return { rows: Array.from({ length: to - from }, (_, i) => ({ id: from + i + 1 })), next: to < n ? String(to) : null, total: n };
};

function fill(book: Book<Row>, n: number, from: number, to: number): number {
  let questions = 0;
  for (let asks = book.asks(from, to); asks.length > 0; asks = book.asks(from, to))
    for (const ask of asks) {
      book.keep(ask, answer(n, ask), Math.floor(from / pageRows));
      if (++questions > 2000) throw new Error("never ends");
    }
  return questions;
}

describe("a book of rows", () => {
  it("gets its first rows with one question", () => {
    const book = new Book<Row>();
    expect(fill(book, 1_000_000, 0, 40)).toBe(1);
    expect(book.total).toBe(1_000_000);
    expect(book.row(0)?.id).toBe(1);
    expect(book.row(100)).toBeUndefined();
  });
  it("goes on from page to page", () => {
    const book = new Book<Row>();
    for (let at = 0; at < 1000; at += 50) expect(fill(book, 5000, at, at + 40)).toBeLessThanOrEqual(1);
    expect(book.row(777)?.id).toBe(778);
  });
  it("jumps anywhere with one question when the marks are known", () => {
    const book = new Book<Row>();
    fill(book, 1_000_000, 0, 40);
    book.know({ every: 500, total: 1_000_000, marks: Array.from({ length: 2000 }, (_, i) => (i === 0 ? null : String(i * 500))) });
    expect(fill(book, 1_000_000, 777_777, 777_810)).toBe(1);
    expect(book.row(777_777)?.id).toBe(777_778);
    expect(fill(book, 1_000_000, 999_970, 999_999)).toBe(1);
    expect(book.row(999_999)?.id).toBe(1_000_000);
  });
  it("walks where no mark is, a thousand rows at a time", () => {
    const book = new Book<Row>();
    fill(book, 20_000, 0, 40);
    expect(fill(book, 20_000, 15_000, 15_040)).toBeLessThanOrEqual(16);
    expect(book.row(15_040)?.id).toBe(15_041);
  });
  it("ends where the last page ends", () => {
    const book = new Book<Row>();
    fill(book, 250, 0, 260);
    expect(book.total).toBe(250);
    expect(book.row(249)?.id).toBe(250);
    expect(book.row(250)).toBeUndefined();
  });
  it("of nothing is empty, and asks once", () => {
    const book = new Book<Row>();
    expect(fill(book, 0, 0, 30)).toBe(1);
    expect(book.total).toBe(0);
  });
  it("forgets what is far from where one looks", () => {
    const book = new Book<Row>();
    for (let at = 0; at < 30_000; at += 100) fill(book, 50_000, at, at + 40);
    expect(book.row(29_900)).toBeDefined();
    expect(book.row(0)).toBeUndefined();
    expect(fill(book, 50_000, 0, 40)).toBe(1);
  });
  it("shows old rows until the new ones are there", () => {
    const book = new Book<Row>();
    fill(book, 300, 0, 250);
    book.age();
    expect(book.fresh(0, 40)).toBe(false);
    expect(book.row(5)?.id).toBe(6);
    expect(fill(book, 300, 0, 40)).toBe(1);
    expect(book.fresh(0, 40)).toBe(true);
  });
  it("asks for a page again that begins elsewhere than it did", () => {
    const book = new Book<Row>();
    fill(book, 300, 0, 250);
    book.age();
    book.keep({ page: 0, pages: 1, cursor: null }, { rows: Array.from({ length: 100 }, (_, i) => ({ id: i + 2 })), next: "101", total: 299 });
    expect(book.asks(0, 199)).toEqual([{ page: 1, pages: 1, cursor: "101" }]);
    expect(book.total).toBe(299);
  });
  it("changes rows and gives back what they were", () => {
    const book = new Book<Row & { state?: string }>();
    book.keep({ page: 0, pages: 1, cursor: null }, { rows: [{ id: 1 }, { id: 2 }], next: null, total: 2 });
    const before = book.change(new Set([2]), (r) => ({ ...r, state: "accepted" }));
    expect(before).toEqual([{ id: 2 }]);
    expect(book.row(1)).toEqual({ id: 2, state: "accepted" });
    expect(book.place(2)).toBe(1);
    expect(book.place(9)).toBeNull();
  });
});
