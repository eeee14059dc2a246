/** The comparison: the same bytes to both servers, each on a connection of its own. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { converse, converseCut, type Dialogue, SILENCE_MS } from './dialogue.ts';
import type { Pair, Place } from './pair.ts';

/** What one server did, in lines, without what is different each time. */
export interface Course {
  readonly received: readonly string[];
  readonly state: string;
  readonly afterwards: readonly string[];
  readonly end: string;
}

/**
 * Runs a dialogue with both servers. @param pieces as `converse` takes them. @param silenceMs as `converse` takes it.
 *
 * @returns what both did.
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
 * What a course says of silence depends on how busy the machine is. A disagreement counts when it comes again, with ten times
 * the patience.
 */
async function compare(
  pair: Pair,
  run: (place: Place, silenceMs: number) => Promise<Dialogue>,
  silenceMs = SILENCE_MS,
): Promise<Course> {
  const runBoth = async (ms: number) =>
    await Promise.all([pair.fast, pair.ordinary].map(async (place) => describe(place, await run(place, ms))));
  const [fast, ordinary] = await runBoth(silenceMs);
  if (isDeepStrictEqual(fast, ordinary)) return ordinary as Course;
  const [fastAgain, ordinaryAgain] = await runBoth(10 * silenceMs);
  assert.deepEqual(fastAgain, ordinaryAgain);
  return ordinaryAgain as Course;
}

/** In lines, with what is different each time replaced by its name. */
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
