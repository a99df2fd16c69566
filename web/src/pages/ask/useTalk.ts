import { useCallback, useEffect, useReducer, useRef } from "react";

import { Problem, queries } from "../../api/client";
import { ask, history } from "./ask";
import type { About, Answer } from "./kinds";
import { empty, isAsking, reduce } from "./talk";

const page = 30; // questions of an old conversation that are shown at once

/** useTalk holds one conversation: opens an old one, asks in it, stops, and ends with whoever uses it. */
export function useTalk(begins = "") {
  const [talk, dispatch] = useReducer(reduce, { ...empty, session: begins, loading: begins !== "" });
  const running = useRef<AbortController | null>(null);
  const now = useRef(talk);
  now.current = talk;
  useEffect(() => () => running.current?.abort(), []);

  const load = useCallback(async (session: string) => {
    running.current?.abort();
    dispatch({ do: "open", session, loading: session !== "" });
    if (!session) return;
    const own = (running.current = new AbortController());
    try {
      const { items, total } = await history(session, -1, page, own.signal);
      dispatch({ do: "load", session, answers: items, total });
    } catch (error) {
      if (!own.signal.aborted) dispatch({ do: "loaded not", session, error });
    }
  }, []);

  const earlier = async () => {
    const { session, earlier: left } = now.current;
    const from = Math.max(0, left - page);
    const { items, total } = await history(session, from, left - from);
    dispatch({ do: "load", session, answers: items, total, before: true });
  };

  const put = useCallback(async (question: string, about: About | null) => {
    if (isAsking(now.current)) return;
    const own = (running.current = new AbortController());
    dispatch({ do: "ask", question, about });
    try {
      await ask({ message: question, session: now.current.session, about }, (parts) => !own.signal.aborted && dispatch({ do: "hear", parts }), own.signal);
      void queries.invalidateQueries({ queryKey: ["ask"] });
    } catch (error) {
      if (own.signal.aborted) return;
      dispatch({ do: "fail", error });
      if (error instanceof Problem && error.status === 401) signedOut(error);
    }
  }, []);

  const stop = useCallback(() => {
    running.current?.abort();
    dispatch({ do: "stop" });
  }, []);

  return {
    talk, load, earlier, put, stop,
    again: (key: number, question: string, about: About | null) => {
      dispatch({ do: "drop", key });
      void put(question, about);
    },
    renew: (answer: Answer) => dispatch({ do: "renew", answer }),
  };
}

export type Talking = ReturnType<typeof useTalk>;

// A session that ended is heard where every other request's is: a query that fails leads to the door.
function signedOut(error: Problem) {
  void queries.fetchQuery({ queryKey: ["ask", "ended"], queryFn: () => Promise.reject(error), retry: false, gcTime: 0 }).catch(() => {});
}
