import { useEffect, useReducer } from 'react';

const CLOCK_MS = 15_000;

/** Renders again every few seconds. @returns milliseconds since 1970. */
export function useClock(): number {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(tick, CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return Date.now();
}
