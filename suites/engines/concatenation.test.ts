/** A concatenation of tus goes on at another server when the one that copies its bytes dies. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sha256Hex } from '../contract/sample.ts';
import { create, pathOf, post, printMetadata, readFile, send, tusAs } from '../contract/tus/tus-client.ts';
import { callAs } from '../contract/wire.ts';
import { options, startTwo } from './several-servers.ts';

const MIB = 1024 * 1024;

test('concatenation: another server goes on after a kill, and two at once do no harm', options, async (t) => {
  const [one, two] = await startTwo(t);
  const sub = 'ada';
  const bytes = randomBytes(40 * MIB + 7);
  const borders = [0, 9 * MIB + 1, 20 * MIB, bytes.length];
  const paths = await Promise.all(
    borders.slice(1).map(async (end, at) => {
      const some = bytes.subarray(borders[at], end);
      const call = tusAs(at % 2 === 0 ? one : two, { sub });
      const path = await create(call, { 'upload-concat': 'partial', 'upload-length': String(some.length) }, {});
      await send(call, path, some);
      return path;
    }),
  );
  const headers = {
    'upload-concat': `final;${paths.join(' ')}`,
    'upload-metadata': printMetadata({ filename: 'a.bin', sha256: sha256Hex(bytes) }),
  };
  const [first, second] = await Promise.all([post(tusAs(one, { sub }), headers), post(tusAs(two, { sub }), headers)]);
  const answers = [first, second].filter(({ status }) => status === 201);
  assert.ok(answers.length > 0, `${first.body} ${second.body}`);
  const path = pathOf(answers[0] as typeof first);
  for (const answer of answers) assert.equal(pathOf(answer), path, 'both requests made one upload');
  await one.kill9();
  const call = tusAs(two, { sub });
  const admin = callAs(two, { sub: 'root', scope: 'admin' });
  // The round of verification goes on with it.
  assert.ok((await admin('POST', '/admin/sweep')).status < 300);
  assert.equal(sha256Hex((await readFile(call, path)).bytes), sha256Hex(bytes));
});
