import assert from 'node:assert/strict';
import type { Check } from '../conformance.ts';
import type { Answer } from '../exchange.ts';
import { type InteropVersion, ResumableCalls, type ResumableServer } from './resumable-server.ts';

export type ResumableCheck = Check<ResumableServer>;

type Act = (calls: ResumableCalls, server: ResumableServer) => Promise<void>;

const VERSIONS: readonly InteropVersion[] = [3, 5, 6, 8];
const atLeast = (version: InteropVersion) => `interop ${version}`;

/** Makes the checks of one section: `must(what, sentence, act)` and `should(…)`. @param since an interop version. */
export function section(name: string, since: InteropVersion = 3) {
  const make =
    (level: ResumableCheck['level']) =>
    (what: string, sentence: string, act: Act): ResumableCheck => ({
      id: `${name}.${what}`,
      level,
      sentence,
      needs: atLeast(since),
      check: async (server) => await act(new ResumableCalls(server), server),
    });
  return { must: make('MUST'), should: make('SHOULD') };
}

/** What a server of this version offers: checks say since which version they apply. */
export function offersOf({ version }: ResumableServer): ReadonlySet<string> {
  return new Set(VERSIONS.filter((each) => each <= version).map(atLeast));
}

export function assertOk({ status, body }: Answer, what: string): void {
  assert.ok(status >= 200 && status < 300, `${what} was answered ${status} ${body}`.trim());
}

export function assertRefused({ status }: Answer, what: string): void {
  assert.ok(status >= 400 && status < 500, `${what} was answered ${status}`);
}

/** The members of `Upload-Limit`, integers. @throws AssertionError when it is no such dictionary. */
export function limitsOf({ headers }: Pick<Answer, 'headers'>): Record<string, number> {
  const value = headers['upload-limit'];
  assert.ok(value, 'the answer has no Upload-Limit');
  const members = value.split(/ *, */).map((member) => {
    const [, key, digits] = /^([a-z*][a-z0-9_.*-]*)=(\d+)$/.exec(member) ?? [];
    assert.ok(key, `${member} in Upload-Limit is no integer`);
    return [key, Number(digits)];
  });
  return Object.fromEntries(members);
}
