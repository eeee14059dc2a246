/** Handles one settled file: upload it, or prove that the server has it; then dispose of it. */
import { join } from 'node:path';
import type { Uploader } from '@cryolift/client';
import { hashPath, isHeldNow } from '@cryolift/client/node';
import type { Found } from '../files/find-files.ts';
import { withPath } from '../options/metadata.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import type { FolderJournal, WentUp } from '../upload/folder-journal.ts';
import { KnownFiles } from '../upload/known-files.ts';
import { confirm } from '../upload/owner.ts';
import { type DigestedFile, type FileFlags, reportKnown, reportSent, uploadFile } from '../upload/upload-file.ts';
import { type Disposal, type Disposed, dispose } from './disposal.ts';
import type { ReceiptDemand } from './receipt-demand.ts';
import type { Stamp } from './scan.ts';

export interface FileHandlerContext {
  readonly folder: string;
  readonly disposal: Disposal | null;
  /** Null: no receipt is demanded before a file is moved or deleted. */
  readonly receipts: ReceiptDemand | null;
  readonly flags: FileFlags;
  readonly uploader: Uploader;
  /** The owner of the uploaded files. */
  readonly owner: string;
  readonly journal: FolderJournal;
  readonly output: Output;
  readonly display: Pick<ProgressDisplay, 'begin'>;
  readonly signal: AbortSignal;
}

/** Proof that the server has the file and that this owner owns it; or why the file is kept. */
type Proof = { readonly kind: 'there'; readonly sha256: string } | Kept;
type Kept = Extract<Disposed, { kind: 'kept' }>;

type Known = Pick<WentUp, 'file_id' | 'sha256' | 'upload_id'>;

export class FileHandler {
  readonly #context: FileHandlerContext;
  /** Changed while they were sent: the parts that the server has are not used. */
  readonly #restart = new Set<string>();
  /** Null: all files are sent. */
  readonly #onServer: KnownFiles | null;

  constructor(context: FileHandlerContext) {
    this.#context = context;
    const { flags, uploader, output, display, signal } = context;
    this.#onServer = flags.skipKnown ? new KnownFiles({ api: uploader.api, output, display, signal }) : null;
  }

  /**
   * @returns what became of the local file after the upload; null when it was not to be disposed of; `held` when another
   * program holds the file, so that it cannot be read: nothing was done.
   * @throws the error of the upload or of the file system.
   */
  async handle(path: string, stamp: Stamp): Promise<Disposed | 'held' | null> {
    const { journal, folder } = this.#context;
    const known = journal.find(path, stamp);
    if (!known && (await isHeldNow(join(folder, path)))) return 'held';
    const found: Found = { ...stamp, path: join(folder, path), inFolder: { folder, path } };
    const there = known ?? (await this.#adopt(path, stamp)) ?? (await this.#copy(path, found));
    // The receipt first: until there is one, the server is not asked for each file.
    const proof = there
      ? ((await this.#demandReceipt(path, stamp, there)) ?? (await this.#prove(there)))
      : await this.#upload(path, found);
    return await this.#dispose(path, stamp, proof);
  }

  /** The file was changed while it was sent: its next upload begins with the first part. */
  noteChanged(path: string): void {
    this.#restart.add(path);
  }

  /** A file that was uploaded earlier and only renamed or restored is not sent again: its bytes are compared. */
  async #adopt(path: string, stamp: Stamp): Promise<WentUp | null> {
    const { journal, folder, output, signal } = this.#context;
    const alike = journal.findAlike(path, stamp);
    if (!alike || (await hashPath(join(folder, path), signal)) !== alike.sha256) return null;
    await journal.note(path, stamp, alike);
    output.event({ event: 'skipped', path, reason: 'renamed', was: alike.path, file_id: alike.file_id });
    output.note(`${path}: already uploaded, as ${alike.path}`);
    return alike;
  }

  /** Asks for the record, as this owner: without it nothing is moved or deleted. */
  async #prove(known: Known): Promise<Proof> {
    const { disposal, uploader, owner, signal } = this.#context;
    if (disposal === null) return { kind: 'there', sha256: known.sha256 };
    const confirmed = await confirm(uploader.api, owner, known, signal);
    if (confirmed.kind === 'there') return { kind: 'there', sha256: confirmed.file.sha256 ?? known.sha256 };
    return confirmed.kind === 'gone'
      ? { kind: 'kept', why: `it was deleted from the server, or does not belong to ${owner}` }
      : { kind: 'kept', why: 'this token may not read the file record on the server' };
  }

  /**
   * Has the server make the file of bytes that it has, which this owner had uploaded under any name. The copy is proven
   * like a file of an earlier run. @returns null: it has to be sent.
   */
  async #copy(path: string, found: Found): Promise<DigestedFile | null> {
    const { flags, journal, output } = this.#context;
    if (this.#onServer === null) return null;
    await this.#onServer.look([found]);
    const file = await this.#onServer.copy(found, withPath(flags.meta ?? {}, found, { root: false }));
    if (file === null) return null;
    this.#onServer.forget(found);
    await journal.note(path, found, file);
    reportKnown(output, found, file);
    return file;
  }

  async #upload(path: string, found: Found): Promise<Proof> {
    const { uploader, owner, journal, flags, display, output, signal } = this.#context;
    const digest = this.#onServer?.digestOf(found);
    this.#onServer?.forget(found);
    const own: FileFlags = {
      ...flags,
      digest,
      root: false,
      restart: this.#restart.has(path),
      asFound: true,
      onPublished: async (file, facts) => journal.note(path, facts, file),
    };
    const sent = await uploadFile(uploader, found, own, { output, display, signal, follow: () => {} });
    this.#restart.delete(path);
    reportSent(output, found, sent, true);
    if (sent.file.owner !== owner) return { kind: 'kept', why: `it belongs to ${sent.file.owner}` };
    return (await this.#demandReceipt(path, found, sent.file)) ?? { kind: 'there', sha256: sent.file.sha256 };
  }

  /** @returns null: none is demanded, or it names the file. */
  async #demandReceipt(path: string, { sizeBytes: size }: Stamp, { file_id, sha256 }: Known): Promise<Kept | null> {
    const { receipts, signal } = this.#context;
    const file = { file_id, sha256, size };
    const why = (await receipts?.findMissing(path, file, signal)) ?? null;
    return why === null ? null : { kind: 'kept', why, again: true };
  }

  async #dispose(path: string, stamp: Stamp, proof: Proof): Promise<Disposed | null> {
    const { disposal, folder, signal } = this.#context;
    if (!disposal) return null;
    return proof.kind === 'kept' ? proof : await dispose(disposal, folder, path, stamp, proof.sha256, signal);
  }
}
