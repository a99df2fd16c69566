// What the server says of the whole estate as a graph.
import type { Schema } from "../../../api/client";

export type PathMap = Schema<"PathMap">;
export type PathNode = Schema<"PathNode">;
export type PathEdge = Schema<"PathEdge">;
export type PathReach = Schema<"PathReach">;
