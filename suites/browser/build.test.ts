/** The SDK's bundle for browsers: its size, and no use of Node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scanSource } from '../imports/scan.ts';
import { bundleSdk } from './bundle.ts';

const MAX_GZIPPED_BYTES = 25 * 1024;

const code = await bundleSdk();

test('browser bundle: imports nothing, and uses no global of Node', () => {
  const { imports, mentions } = scanSource(code);
  assert.deepEqual(imports, []);
  const foreign = mentions.filter(({ name }) => ['process', 'Buffer', 'global', '__dirname', 'require'].includes(name));
  assert.deepEqual(foreign, []);
});

test('browser bundle: is at most 25 kB, gzipped', (t) => {
  const bytes = gzipSync(code, { level: 9 }).length;
  t.diagnostic(`the SDK for browsers: ${bytes} bytes gzipped, ${code.length} before`);
  assert.ok(bytes <= MAX_GZIPPED_BYTES, `${bytes} bytes`);
});
