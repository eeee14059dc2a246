/** Storages in a folder that others may have open, too, for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DiskCalls } from '../disk/file-system.ts';
import { Digester } from '../disk/threads/digester.ts';
import { Writers } from '../disk/threads/writers.ts';
import { SharedStorage } from './shared-storage.ts';

/** @param folder of another storage; a new one by default. It is removed when the test ends. */
export async function makeShared(t: TestContext, folder?: string, calls?: DiskCalls) {
  const root = folder ?? (await mkdtemp(join(tmpdir(), 'cryolift-shared-')));
  const storage = await SharedStorage.open(root, new Writers(2, 8), new Digester(), calls);
  t.after(async () => {
    await storage.close();
    await rm(root, { recursive: true, force: true });
  });
  return { storage, root, lose: ({ id }: { id: string }) => rm(join(root, 'staging', id)) };
}
