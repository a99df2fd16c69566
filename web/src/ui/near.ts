import { useEffect, useState, type RefObject } from "react";

/** useNear is true from the moment that an element comes near the window: what is below the fold need not load before. */
export function useNear(at: RefObject<Element | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (near || !at.current) return;
    const watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && setNear(true), { rootMargin: "160px" });
    watch.observe(at.current);
    return () => watch.disconnect();
  }, [near, at]);
  return near;
}
