/** Hints of the server, as the command line prints them. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toCommandHint } from '../../packages/cli/src/process/hints.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = globSync('packages/{server,protocol}/src/**/*.ts', { cwd: ROOT, exclude: ['**/*.test.ts'] });
/** A code in front of it, where there is one within a few lines. */
const HINT = /hint:\s*(['"`])((?:(?!\1).)+)\1/g;
const CALL = /\b(GET|HEAD|POST|PUT|PATCH|DELETE) \//;

test('hints: the command line names its commands, and no call of the API', () => {
  const hints = SOURCES.flatMap((file) => {
    return [...readFileSync(`${ROOT}/${file}`, 'utf8').matchAll(HINT)].map(([, , hint]) => hint as string);
  });
  assert.ok(hints.length > 50, `${hints.length} hints`);
  assert.ok(hints.some((hint) => CALL.test(hint)));
  // These belong to codes of which the command line has its own hint.
  const own = ['upload_not_found', 'file_not_found', 'not_found'].map((code) => toCommandHint(code, ''));
  const replaced = (hint: string) => /^GET \/openapi.json lists|lists your (uploads|files)\.$/.test(hint);
  const printed = hints.filter((hint) => !replaced(hint)).map((hint) => toCommandHint('any', hint));
  assert.deepEqual(
    [...own, ...printed].filter((hint) => CALL.test(hint)),
    [],
  );
});
