/** The comparison: the same bytes to both servers, each on a connection of its own. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { converse, converseCut, type Dialogue, SILENCE_MS } from './dialogue.ts';
import type { Pair, Place } from './pair.ts';

/** The behaviour of one server in lines, without values that differ each time. */
export interface Course {
  readonly received: readonly string[];
  readonly state: string;
  readonly afterwards: readonly string[];
  readonly end: string;
}

/**
 * Runs a dialogue with both servers. @param pieces as `converse` takes them. @param silenceMs as `converse` takes it.
 *
 * @returns the behaviour of both.
 */
export async function assertAgreement(pair: Pair, pieces: readonly string[], silenceMs?: number): Promise<Course> {
  return await compare(pair, ({ url, fill }, ms) => converse(url, pieces.map(fill), ms), silenceMs);
}

/** As `assertAgreement`, for a first piece that comes in two: cut after its first head, or after this share of it, 0..1. */
export async function assertAgreementCut(pair: Pair, pieces: readonly string[], cut: 'head' | number): Promise<Course> {
  return await compare(pair, ({ url, fill }, ms) => {
    const [first = '', ...rest] = pieces.map(fill);
    const at = cut === 'head' ? first.indexOf('\r\n\r\n') + 4 : Math.round(cut * first.length);
    return converseCut(url, [first, ...rest], at, ms);
  });
}

/**
 * Silence depends on the load of the machine. A difference counts only if it occurs again with a ten times longer
 * time-out.
 */
async function compare(
  pair: Pair,
  run: (place: Place, silenceMs: number) => Promise<Dialogue>,
  silenceMs = SILENCE_MS,
): Promise<Course> {
  const runBoth = async (ms: number) =>
    await Promise.all([pair.fast, pair.standard].map(async (place) => describe(place, await run(place, ms))));
  const [fast, standard] = await runBoth(silenceMs);
  if (isDeepStrictEqual(fast, standard)) return standard as Course;
  const [fastAgain, standardAgain] = (await runBoth(10 * silenceMs)) as [Course, Course];
  if (!lacksEarlyAnswer(fastAgain, standardAgain)) assert.deepEqual(fastAgain, standardAgain);
  return standardAgain;
}

/**
 * Whether the paths differ only in the early answer to a request whose chunked body turns out to be damaged. Node runs
 * handlers between a chunk and the bytes after it if its parser reads the connection itself, and not if it is given the
 * bytes. So on the fast path the 400 for the damage can be the only answer. Both then end the connection.
 */
function lacksEarlyAnswer(fast: Course, standard: Course): boolean {
  const [answers, all] = [fast, standard].map(({ received }) => received.join('\r\n').split(/(?=HTTP\/1\.1 )/));
  const [last, , ...before] = (all as string[]).toReversed();
  return (
    last?.startsWith('HTTP/1.1 400 ') === true &&
    isDeepStrictEqual(answers, [...before.reverse(), last]) &&
    isDeepStrictEqual({ ...fast, received: [] }, { ...standard, received: [] })
  );
}

/** As lines, with variable values replaced by their names. */
export function describe({ uploadId }: Place, { received, state, afterwards, end }: Dialogue): Course {
  const print = (text: string) =>
    text
      .replaceAll(uploadId, '{upload}')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '{uuid}')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '{time}')
      .replaceAll(/^date: .*$/gim, 'date: {date}')
      .replaceAll(/^(ratelimit-(?:remaining|reset)): .*$/gim, '$1: {count}')
      .split('\r\n');
  return { received: print(received), state, afterwards: print(afterwards), end };
}
