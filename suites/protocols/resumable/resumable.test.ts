/** The IETF draft at `/resumable`, sentence by sentence, in each interop version that is served. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countPassed, type Result, runChecks } from '../conformance.ts';
import { type CryoliftUnderTest, findCryolift } from '../cryolift.ts';
import { RESUMABLE_CHECKS } from './checks.ts';
import { offersOf } from './resumable-check.ts';
import type { InteropVersion } from './resumable-server.ts';

const VERSIONS: readonly InteropVersion[] = [8, 6, 5, 3];

let cryolift: CryoliftUnderTest;
/** Of all versions at once: most checks wait. */
let results: ReadonlyMap<InteropVersion, Promise<Result[]>>;
before(async () => {
  cryolift = await findCryolift();
  const { url, headers, read } = cryolift;
  const own = { name: 'Cryolift', url: `${url}/resumable`, putUrl: `${url}/resumable/sent.raw`, headers, read };
  results = new Map(
    VERSIONS.map((version) => {
      const server = { ...own, version };
      return [version, runChecks(RESUMABLE_CHECKS, server, offersOf(server))];
    }),
  );
});
after(() => cryolift.stop());

for (const version of VERSIONS) {
  test(`resumable: every MUST and SHOULD passes in interop version ${version}`, async () => {
    const ofVersion = (await results.get(version)) ?? [];
    assert.deepEqual(failuresOf(ofVersion), []);
    assert.ok(countPassed(ofVersion).passed > 0);
  });
}

function failuresOf(ofVersion: readonly Result[]): string[] {
  return ofVersion.filter(({ outcome }) => outcome === 'fail').map(({ id, word }) => `${id}: ${word}`);
}
