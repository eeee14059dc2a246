/// <reference lib="dom" />
/** Resume records in the browser's IndexedDB. */
import type { ResumeKey, ResumeRecord, ResumeStore } from '../ports.ts';
import type { FileHandle } from './blob-source.ts';

/** 2: records have an owner. */
const VERSION = 2;
const UPLOADS = 'uploads';
const HANDLES = 'handles';
/** The time to wait for the database. After that it may still store the record. */
const ANSWER_MS = 5_000;

/** An upload that was started and neither finished nor cancelled. */
export interface OpenUpload extends ResumeRecord {
  /** Finds the file again in browsers with such handles. */
  readonly handle: FileHandle | null;
}

/**
 * Where the browser stores nothing (a private window, a full disk, blocked site data), no record is kept and no call
 * fails. The server also finds an upload by its fingerprint.
 */
export class IndexedDbResumeStore implements ResumeStore {
  readonly #name: string;
  #database: Promise<IDBDatabase> | null = null;

  /** @param name of the database; of the page's origin. */
  constructor(name = 'cryolift') {
    this.#name = name;
  }

  async load(key: ResumeKey): Promise<ResumeRecord | null> {
    const record = await this.#run('readonly', (uploads) => uploads.get(pathOf(key)));
    return (record as ResumeRecord | undefined) ?? null;
  }

  async save(record: ResumeRecord): Promise<void> {
    await this.#run('readwrite', (uploads) => uploads.put(record));
  }

  async forget(key: ResumeKey): Promise<void> {
    await this.#run('readwrite', (uploads, handles) => {
      handles.delete(pathOf(key));
      return uploads.delete(pathOf(key));
    });
  }

  /** Stores the handle of a file until the record of its upload is removed. Call it before the upload starts. */
  async keepHandle(key: ResumeKey, handle: FileHandle): Promise<void> {
    await this.#run('readwrite', (_uploads, handles) => handles.put(handle, pathOf(key)));
  }

  /** An owner's open uploads to a server, by location. */
  async all(server: string, owner: string): Promise<OpenUpload[]> {
    // Arrays come after strings in the order of keys.
    const range = IDBKeyRange.bound([server, owner], [server, owner, []]);
    const found = await this.#run('readonly', (uploads) => uploads.getAll(range));
    return await Promise.all(
      ((found ?? []) as ResumeRecord[]).map(async (record) => {
        const handle = await this.#run('readonly', (_uploads, handles) => handles.get(pathOf(record)));
        return { ...record, handle: (handle as FileHandle | undefined) ?? null };
      }),
    );
  }

  /**
   * @returns the request's result once it is stored; null when no database can be opened.
   */
  async #run(mode: IDBTransactionMode, act: Act): Promise<unknown> {
    const silence = Promise.withResolvers<null>();
    const timer = setTimeout(() => silence.resolve(null), ANSWER_MS);
    try {
      return await Promise.race([silence.promise, this.#transact(mode, act)]);
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  async #transact(mode: IDBTransactionMode, act: Act): Promise<unknown> {
    const database = await this.#connect();
    const transaction = database.transaction([UPLOADS, HANDLES], mode);
    const request = act(transaction.objectStore(UPLOADS), transaction.objectStore(HANDLES));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  }

  /** Opens the database once. It is closed when another tab upgrades it, and opened anew by the next call. */
  async #connect(): Promise<IDBDatabase> {
    this.#database ??= open(this.#name);
    const opened = this.#database;
    const forget = () => {
      if (this.#database === opened) this.#database = null;
    };
    try {
      const database = await opened;
      database.onclose = forget;
      database.onversionchange = () => {
        forget();
        database.close();
      };
      return database;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

type Act = (uploads: IDBObjectStore, handles: IDBObjectStore) => IDBRequest;

function pathOf({ server, owner, location }: ResumeKey): [string, string, string] {
  return [server, owner, location];
}

async function open(name: string): Promise<IDBDatabase> {
  const { promise, resolve, reject } = Promise.withResolvers<IDBDatabase>();
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    // Records of version 1 have no owner. The server finds these uploads by the fingerprints of their files.
    for (const name of request.result.objectStoreNames) request.result.deleteObjectStore(name);
    request.result.createObjectStore(UPLOADS, { keyPath: ['server', 'owner', 'location'] });
    request.result.createObjectStore(HANDLES);
  };
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
  return await promise;
}
