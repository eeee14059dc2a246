/**
 * How long an answer asks to wait (RFC 9110 section 10.2.3: seconds, or a date).
 *
 * @param now the `Date` of the same answer: the clocks of two machines differ.
 * @returns seconds, 0 or more; null without a valid value.
 */
export function readRetryAfter(value: string | null | undefined, now: string | null | undefined): number | null {
  if (!value) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - (now ? Date.parse(now) : Date.now())) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
