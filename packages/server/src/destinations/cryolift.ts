/** A dataset of another Cryolift. It is completed there, with the receipt of this server as the earlier one. */
import { createHash } from 'node:crypto';
import { Datasets, type ResumeStore, ServerError, type Source, Uploader } from '@cryolift/client';
import { HttpTransport } from '@cryolift/client/node';
import { pathOf } from '@cryolift/protocol/file-path';
import type { DatasetRecord, ReceiptDocument } from '@cryolift/protocol/messages';
import type { CryoliftTarget } from '../config/destinations.ts';
import { type Delivery, type OutgoingFile, PushRefused, readWhole, type SavedProgress } from './delivery.ts';

/** The SDK retries for so long; then the job does. */
const RETRY_MS = 60_000;
/** Parts in flight of all files. */
const PARALLEL = 8;
const PAGE = 1_000;
/** The field of the dataset there that names the one here. */
const ORIGIN = 'origin_dataset';
/** An upload is found by its fingerprint, also by another server of this database. */
const NO_STORE: ResumeStore = { load: async () => null, save: async () => {}, forget: async () => {} };

export interface PushedDataset {
  readonly id: string;
  /** Its name there. */
  readonly name: string;
  readonly project: string | null;
  readonly instrument: string | null;
  readonly fields: Readonly<Record<string, string>>;
}

export class CryoliftDelivery implements Delivery {
  readonly #uploader: Uploader;
  readonly #datasets: Datasets;
  readonly #there: DatasetRecord;
  /** What the dataset there has: path, size and digest. */
  readonly #files: ReadonlySet<string>;

  private constructor(uploader: Uploader, there: DatasetRecord, files: ReadonlySet<string>) {
    this.#uploader = uploader;
    this.#datasets = new Datasets(uploader.api);
    this.#there = there;
    this.#files = files;
  }

  /** Finds the dataset there, or makes it. @throws PushRefused */
  static async open({ url, token }: CryoliftTarget, dataset: PushedDataset, signal: AbortSignal): Promise<Delivery> {
    const options = {
      server: url,
      transport: new HttpTransport(url),
      resumeStore: NO_STORE,
      getToken: async () => token,
      parallel: PARALLEL,
      retryForMs: RETRY_MS,
    };
    const uploader = new Uploader(options);
    return await refusals(async () => {
      const there = await findOrCreate(new Datasets(uploader.api), dataset, signal);
      return new CryoliftDelivery(uploader, there, await listFiles(new Datasets(uploader.api), there, signal));
    });
  }

  async send(file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    if (this.#files.has(keyOf(pathOf(file.filename, file.metadata), file.sizeBytes, file.sha256))) return;
    const { name, dataset_id, state } = this.#there;
    if (state !== 'open') {
      throw new PushRefused(
        `The dataset ${name} (${dataset_id}) there is ${state} without ${file.path}. Reopen it there.`,
      );
    }
    let known: string | null = null;
    const sent = await refusals(() =>
      this.#uploader.upload(new StoredSource(file), {
        signal,
        metadata: { ...file.metadata, dataset: name },
        sha256: file.sha256,
        // What this server has taken is not refused because of its header.
        force: true,
        onProgress: ({ upload }) => {
          if (!upload || upload.upload_id === known) return;
          known = upload.upload_id;
          // Without it, a push that is cancelled leaves an upload there that expires.
          progress.save(known).catch(() => {});
        },
      }),
    );
    if (sent.sha256 === file.sha256) return;
    // With object storage the digest comes late; the server there compares it with what was declared.
    if (sent.sha256 !== null) throw new Error('the server there has other bytes than those that were sent');
  }

  async finish(text: string): Promise<void> {
    await refusals(async () => {
      const { dataset_id } = this.#there;
      await this.#datasets.takeReceipt(dataset_id, JSON.parse(text) as ReceiptDocument);
      if ((await this.#datasets.read(dataset_id)).state === 'open') await this.#datasets.complete(dataset_id);
    });
  }

  /** @param upload its id there. */
  async discard(_path: string, upload: string | null): Promise<void> {
    if (upload !== null) await this.#uploader.api.cancel(upload);
  }

  async close(): Promise<void> {}
}

async function findOrCreate(datasets: Datasets, dataset: PushedDataset, signal: AbortSignal): Promise<DatasetRecord> {
  const { id, name, project, instrument, fields } = dataset;
  const found = await datasets.find(name, { signal });
  if (found === null) {
    const request = { name, fields: { ...fields, [ORIGIN]: id } };
    const texts = { ...(project === null ? {} : { project }), ...(instrument === null ? {} : { instrument }) };
    return await datasets.create({ ...request, ...texts }, { signal });
  }
  if (found.fields[ORIGIN] === id) return found;
  throw new PushRefused(
    `A dataset ${name} is there already that is not a copy of this one. Rename it there, or this one here.`,
  );
}

async function listFiles(datasets: Datasets, { dataset_id }: DatasetRecord, signal: AbortSignal): Promise<Set<string>> {
  const files = new Set<string>();
  for (let cursor: string | null = null; ; ) {
    const query = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page: Awaited<ReturnType<Datasets['files']>> = await datasets.files(dataset_id, query, { signal });
    for (const { filename, metadata, size, sha256 } of page.items) {
      if (sha256 !== null) files.add(keyOf(pathOf(filename, metadata), size, sha256));
    }
    cursor = page.next_cursor;
    if (cursor === null) return files;
  }
}

function keyOf(path: string, size: number, sha256: string): string {
  return `${sha256} ${size} ${path}`;
}

/** Refusals that end: a file is being read, or its digest is not known yet. */
const PASSING: readonly string[] = ['dataset_incomplete', 'receipt_invalid', 'upload_not_found'];

/** What the server there refuses for good fails the push. */
async function refusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ServerError) || error.retryable || PASSING.includes(error.code)) throw error;
    throw new PushRefused(`The server there refuses it: ${error.message}`);
  }
}

/** A published file as a source of the SDK. */
class StoredSource implements Source {
  readonly #file: OutgoingFile;
  readonly name: string;
  readonly location: string;
  readonly sizeBytes: number;
  readonly modifiedMs = 0;
  readonly identity: string;

  constructor(file: OutgoingFile) {
    this.#file = file;
    this.name = file.filename;
    this.location = file.id;
    this.sizeBytes = file.sizeBytes;
    this.identity = file.sha256;
  }

  async read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const bytes = await readWhole(this.#file, offset, into.length);
    into.set(bytes);
    return createHash('sha256').update(bytes).digest();
  }

  async digest(offset: number, length: number): Promise<Uint8Array> {
    const hash = createHash('sha256');
    if (length === 0) return hash.digest();
    for await (const chunk of await this.#file.read(offset, offset + length - 1)) hash.update(chunk as Buffer);
    return hash.digest();
  }

  body(offset: number, length: number) {
    const fill = async (at: number, into: Uint8Array<ArrayBuffer>) => {
      into.set(await readWhole(this.#file, offset + at, into.length));
    };
    return { length, fill, blob: null };
  }

  async stat() {
    return { sizeBytes: this.sizeBytes, modifiedMs: this.modifiedMs, identity: this.identity };
  }
}
