/** tus 1.0 at `/tus`, sentence by sentence: the checks that `suites/protocols/tus-conformance.ts` runs against peers, too. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countPassed, type Result, runChecks } from '../conformance.ts';
import { TUS_CHECKS } from './checks.ts';
import { type RunningTusServer, startCryoliftTus } from './servers.ts';
import { readExtensions } from './tus-server.ts';

/** By the id of the check: why it does not pass. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};
/** Of all checks. */
const LEAST_SHARE = 0.95;

let server: RunningTusServer;
let results: readonly Result[];
before(async () => {
  server = await startCryoliftTus();
  results = await runChecks(TUS_CHECKS, server, await readExtensions(server));
});
after(() => server.stop());

test('tus: every extension is offered', () => {
  const missing = results.filter(({ outcome }) => outcome === 'not offered').map(({ id }) => id);
  assert.deepEqual(missing, []);
});

test('tus: every MUST passes', () => {
  assert.deepEqual(failuresOf('MUST'), []);
});

test('tus: every SHOULD passes, but for named exceptions', () => {
  assert.deepEqual(failuresOf('SHOULD'), []);
  const { passed, all } = countPassed(results);
  assert.ok(passed / all >= LEAST_SHARE, `${passed} of ${all}`);
});

test('tus: every exception still fails', () => {
  const passing = results.filter(({ id, outcome }) => id in EXCEPTIONS && outcome === 'pass').map(({ id }) => id);
  assert.deepEqual(passing, []);
});

function failuresOf(level: Result['level']): string[] {
  return results
    .filter((each) => each.level === level && each.outcome === 'fail' && !(each.id in EXCEPTIONS))
    .map(({ id, word }) => `${id}: ${word}`);
}
