/**
 * The newest state of each grant, for the copies of a tab: a browser copies the storage of a tab when the tab is duplicated,
 * and a refresh token must not be used by both. The records are encrypted with a secret that only the tabs have, so that
 * nothing usable is left when they are closed.
 */
import type { Grant } from './grant.ts';

const DATABASE = 'cryolift-sign-in';
const GRANTS = 'grants';
/** Records that nobody has renewed for this time are removed. */
const KEPT_MS = 30 * 24 * 60 * 60_000;

interface SharedRecord {
  readonly id: string;
  readonly storedAtMs: number;
  /** Null: somebody has signed out. */
  readonly sealed: { readonly iv: Uint8Array<ArrayBuffer>; readonly data: ArrayBuffer } | null;
}

/** Where the browser stores nothing, no call fails, and copies of a tab do not know of each other. */
export class SharedGrants {
  /** @returns `ended` after a sign-out; null when nothing was stored. */
  async read({ id, secret }: Grant): Promise<Grant | 'ended' | null> {
    const record = await run<SharedRecord | undefined>('readonly', (grants) => grants.get(id));
    if (!record) return null;
    if (!record.sealed) return 'ended';
    const { iv, data } = record.sealed;
    const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await keyOf(secret), data).catch(() => null);
    return opened && (JSON.parse(new TextDecoder().decode(opened)) as Grant);
  }

  async write(grant: Grant): Promise<void> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const bytes = new TextEncoder().encode(JSON.stringify(grant));
    const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await keyOf(grant.secret), bytes);
    await put({ id: grant.id, storedAtMs: Date.now(), sealed: { iv, data } });
  }

  /** Somebody has signed out: no copy may renew the grant. */
  async end({ id }: Grant): Promise<void> {
    await put({ id, storedAtMs: Date.now(), sealed: null });
  }

  async removeOld(nowMs = Date.now()): Promise<void> {
    const records = await run<SharedRecord[]>('readonly', (grants) => grants.getAll());
    for (const { id, storedAtMs } of records ?? []) {
      if (nowMs - storedAtMs > KEPT_MS) await run('readwrite', (grants) => grants.delete(id));
    }
  }
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
  return await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

async function put(record: SharedRecord): Promise<void> {
  await run('readwrite', (grants) => grants.put(record));
}

/** @returns the result of the request once it is stored; null when the browser allows no database. */
async function run<Result>(
  mode: IDBTransactionMode,
  act: (grants: IDBObjectStore) => IDBRequest,
): Promise<Result | null> {
  try {
    const database = await open();
    try {
      const transaction = database.transaction(GRANTS, mode);
      const request = act(transaction.objectStore(GRANTS));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result as Result;
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

async function open(): Promise<IDBDatabase> {
  const { promise, resolve, reject } = Promise.withResolvers<IDBDatabase>();
  const request = indexedDB.open(DATABASE);
  request.onupgradeneeded = () => request.result.createObjectStore(GRANTS, { keyPath: 'id' });
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
  return await promise;
}
