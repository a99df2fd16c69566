import { expect, test } from "vitest";

import { areasOf, operationsOf, scopesOf } from "./document";

const doc = {
  paths: {
    "/api/v1/sites": { get: { tags: ["sites"], summary: "List sites", "x-patchscout-role": "viewer" }, post: { tags: ["sites"], summary: "Add a site", "x-patchscout-role": "admin" } },
    "/api/v1/worker/lease": { post: { tags: ["workers"], summary: "Lease", "x-patchscout-role": "worker" } },
    "/health": { get: { tags: ["system"], summary: "Health" } },
  },
};

test("roles are told by what the server itself says", () => {
  expect(areasOf(operationsOf(doc))).toEqual([{ tag: "sites", viewer: ["List sites"], analyst: [], admin: ["Add a site"] }]);
});

test("a token can be limited to what people may do, not to what workers do", () => {
  expect(scopesOf(operationsOf(doc))).toEqual(["sites:read", "sites:write"]);
});

test("a document that is none has no operations", () => {
  expect(operationsOf({})).toEqual([]);
});
