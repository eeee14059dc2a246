import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertOnlyRootWrites } from './trust.ts';

const asRoot = { skip: process.getuid?.() !== 0 && 'only root can make files of root' };

test('service of the system: what it runs and reads may be changed by root only', asRoot, (t) => {
  const folder = mkdtempSync('/root/cryolift-trust-');
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'below'));
  const path = join(folder, 'below/cryolift');
  writeFileSync(path, '', { mode: 0o755 });
  assertOnlyRootWrites(path);
  chmodSync(path, 0o775);
  assert.throws(() => assertOnlyRootWrites(path), /cryolift can be changed by other users than root/);
  chmodSync(path, 0o755);
  chownSync(join(folder, 'below'), 65534, 0);
  assert.throws(() => assertOnlyRootWrites(path), /below can be changed by other users/);
  chownSync(join(folder, 'below'), 0, 0);
  chmodSync(folder, 0o777);
  assert.throws(() => assertOnlyRootWrites(path), /other users/);
  // As /tmp: others may make files, and not replace those of root.
  chmodSync(folder, 0o1777);
  assertOnlyRootWrites(path);
});
