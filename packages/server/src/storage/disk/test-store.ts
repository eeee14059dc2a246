/** A storage in a folder, for tests. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DiskStorage } from './disk-storage.ts';
import { Digester } from './threads/digester.ts';
import { Writers } from './threads/writers.ts';

interface StoreOptions {
  folder?: string;
  slots?: number;
  onLost?: (uploadId: string) => void;
}

/** It is closed and removed when the test ends. */
export async function makeStore(t: TestContext, options: StoreOptions = {}) {
  const { folder, slots = 8, onLost = (id: string) => assert.fail(`lost ${id}`) } = options;
  const root = folder ?? (await mkdtemp(join(tmpdir(), 'cryolift-store-')));
  const storage = await DiskStorage.open(root, new Writers(2, slots), new Digester(), onLost);
  t.after(async () => {
    await storage.close();
    await rm(root, { recursive: true, force: true });
  });
  return { storage, root, lose: ({ id }: { id: string }) => rm(join(root, 'staging', id)) };
}
