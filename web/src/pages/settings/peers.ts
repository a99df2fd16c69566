// How something that helps the assistant stands, in a word.
import type { Peer } from "../ask/kinds";

export type PeerName = "model" | "embeddings" | "vectors";

/** standing: what nobody accepted is not an error but a question that waits. */
export function standing(peer: Peer): { word: string; tone: "good" | "medium" | "high" | "none" } {
  if (!peer.name && !peer.url) return { word: "None", tone: "none" };
  if (peer.accepted === false) return { word: "Waits for your word", tone: "medium" };
  if (peer.error) return { word: "Not used", tone: "high" };
  return { word: "In use", tone: "good" };
}
