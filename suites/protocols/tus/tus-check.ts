import type { Check } from '../conformance.ts';
import { TusCalls, type TusServer } from './tus-server.ts';

export type TusCheck = Check<TusServer>;

type Act = (calls: TusCalls, server: TusServer) => Promise<void>;

/** Makes the checks of one section: `must(what, sentence, act)` and `should(…)`. @param needs an extension. */
export function section(name: string, needs?: string) {
  const make =
    (level: TusCheck['level']) =>
    (what: string, sentence: string, act: Act): TusCheck => ({
      id: `${name}.${what}`,
      level,
      sentence,
      ...(needs === undefined ? {} : { needs }),
      check: async (server) => await act(new TusCalls(server), server),
    });
  return { must: make('MUST'), should: make('SHOULD') };
}

/** Bytes that differ from place to place. */
export function bytesOf(length: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7 + seed * 101) % 251));
}
