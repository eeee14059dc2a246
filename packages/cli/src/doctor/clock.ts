/** This machine's clock against the server's: tokens are good from one moment to another, and both have to agree on it. */
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Answer } from './wire.ts';

const WARN_SECONDS = 30;
/** The tolerance of a server for the times in a token. */
const LEEWAY_SECONDS = 60;
/** `Date` has whole seconds (RFC 9110 section 6.6.1): on average it is half a second old. */
const HALF_A_SECOND_MS = 500;
const MEND = 'Set the clock that is wrong, and keep it right (`timedatectl set-ntp true`, or chrony).';

/** From the `Date` of an answer; of what may be the time on the way, half a round trip, nothing is held against the clock. */
export function checkClock({
  headers,
  startedMs,
  answeredMs,
}: Pick<Answer, 'headers' | 'startedMs' | 'answeredMs'>): Finding {
  const serverMs = Date.parse(headers.date ?? '') + HALF_A_SECOND_MS;
  if (Number.isNaN(serverMs)) {
    return warn('clock', 'the answers have no Date to compare with', 'Let the proxy pass the header Date on.');
  }
  const aheadMs = (startedMs + answeredMs) / 2 - serverMs;
  const doubtMs = (answeredMs - startedMs) / 2 + HALF_A_SECOND_MS;
  const apartSeconds = Math.max(0, Math.abs(aheadMs) - doubtMs) / 1000;
  const found = `this machine's clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
  if (apartSeconds > LEEWAY_SECONDS) return fail('clock', `${found}: tokens are refused`, MEND);
  if (apartSeconds > WARN_SECONDS) return warn('clock', found, MEND);
  return ok('clock', `as the server's, within ${((Math.abs(aheadMs) + doubtMs) / 1000).toFixed(1)} s`);
}
