/** The SDK's build for browsers: small, and nothing of Node in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scanSource } from '../imports/scan.ts';
import { bundleSdk } from './bundle.ts';

const MAX_GZIPPED_BYTES = 25 * 1024;

const code = await bundleSdk();

test('it imports nothing, and asks for no global of Node', () => {
  const { imports, mentions } = scanSource(code);
  assert.deepEqual(imports, []);
  const foreign = mentions.filter(({ name }) => ['process', 'Buffer', 'global', '__dirname', 'require'].includes(name));
  assert.deepEqual(foreign, []);
});

test('it is at most 25 kB, gzipped', (t) => {
  const bytes = gzipSync(code, { level: 9 }).length;
  t.diagnostic(`the SDK for browsers: ${bytes} bytes gzipped, ${code.length} before`);
  assert.ok(bytes <= MAX_GZIPPED_BYTES, `${bytes} bytes`);
});
