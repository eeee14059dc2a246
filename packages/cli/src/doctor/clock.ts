/** Compares the clocks of this machine and the server. Tokens are valid for a period, so the clocks must agree. */
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Answer } from './wire.ts';

const WARN_SECONDS = 30;
/** The tolerance of a server for the times in a token. */
const LEEWAY_SECONDS = 60;
/** `Date` has whole seconds (RFC 9110 section 6.6.1): on average it is half a second old. */
const HALF_A_SECOND_MS = 500;
const ADVICE = 'Set the clock that is wrong, and synchronize it (`timedatectl set-ntp true`, or chrony).';

/** Compares with the `Date` of an answer. Half a round trip is subtracted, because it may be network delay. */
export function checkClock({
  headers,
  startedMs,
  answeredMs,
}: Pick<Answer, 'headers' | 'startedMs' | 'answeredMs'>): Finding {
  const serverMs = Date.parse(headers.date ?? '') + HALF_A_SECOND_MS;
  if (Number.isNaN(serverMs)) {
    return warn('clock', 'the answers have no Date header to compare with', 'Let the proxy pass the Date header on.');
  }
  const aheadMs = (startedMs + answeredMs) / 2 - serverMs;
  const doubtMs = (answeredMs - startedMs) / 2 + HALF_A_SECOND_MS;
  const apartSeconds = Math.max(0, Math.abs(aheadMs) - doubtMs) / 1000;
  const found = `the clock of this machine is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the clock of the server`;
  if (apartSeconds > LEEWAY_SECONDS) return fail('clock', `${found}: tokens are refused`, ADVICE);
  if (apartSeconds > WARN_SECONDS) return warn('clock', found, ADVICE);
  return ok('clock', `agrees with the server, within ${((Math.abs(aheadMs) + doubtMs) / 1000).toFixed(1)} s`);
}
