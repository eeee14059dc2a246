/** A backup that is killed at any of its steps is not taken for one, or it is whole; the server's data stays as it was. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { startServer } from '../server-under-test.ts';
import { arm, disarm, makeFolder, PRELOAD } from './crash-site.ts';
import { removeFolder } from './deployments.ts';
import { publishOne } from './own-secret.ts';
import { pointsOf, printPoint } from './points.ts';

/** When the copy has its name, it is whole. */
const WHOLE = ['after backup.rename', 'before backup.remove-draft', 'after backup.remove-draft'];

const folder = makeFolder();
const dataDir = join(folder, 'data');
const server = await startServer({ CRYOLIFT_DATA_DIR: dataDir, CRYOLIFT_JWT_SECRET: '' });
after(async () => {
  await server.discard();
  removeFolder(folder);
});

test('a backup that is killed is none, or it is whole', { timeout: 10 * 60_000 }, async (context) => {
  await publishOne(server, dataDir);
  for (const [nth, point] of pointsOf('backup').entries()) {
    await context.test(printPoint(point), async () => {
      arm(folder, { ...point, nth: 1 });
      const target = join(folder, `backup-${nth}`);
      await backUp(target);
      assert.ok(existsSync(join(folder, 'reached')), 'it is reached');
      const copy = join(target, 'cryolift.sqlite');
      if (WHOLE.includes(printPoint(point))) assertWhole(copy);
      else assert.equal(statSync(copy, { throwIfNoEntry: false })?.size ?? 0, 0, 'it has no database');
    });
  }
  disarm(folder);
  const target = join(folder, 'backup');
  assert.equal(await backUp(target), 0);
  assertWhole(join(target, 'cryolift.sqlite'));
  assertWhole(join(dataDir, 'cryolift.sqlite'));
});

/** @returns the exit code; null: it was killed. */
async function backUp(target: string): Promise<number | null> {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    NODE_COMPILE_CACHE: join(tmpdir(), 'cryolift-crash-points-cache'),
    CRASH_FOLDER: folder,
  };
  const args = [BIN, 'admin', 'backup', target, '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code as number | null;
}

function assertWhole(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    assert.deepEqual(db.prepare('pragma integrity_check').all().map(Object.values), [['ok']]);
    assert.deepEqual(db.prepare('select count(*) from files').all().map(Object.values), [[1]]);
  } finally {
    db.close();
  }
}
