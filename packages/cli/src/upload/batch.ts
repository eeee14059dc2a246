/** Uploads many files, a few at a time. A failure does not stop the others, unless they would fail as well. */
import { FileSlots, type Uploader } from '@cryolift/client';
import { hashPath } from '@cryolift/client/node';
import type { ChecksumFile } from '../files/checksums.ts';
import type { Found, InFolder } from '../files/find-files.ts';
import { withPath } from '../options/metadata.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import type { Tally } from '../output/tally.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { exitCodeOf, isAboutServer } from '../process/failure.ts';
import { type Facts, FolderJournal, type WentUp } from './folder-journal.ts';
import { cutForCalls, KnownFiles } from './known-files.ts';
import { importOldJournal } from './old-journal.ts';
import { askOwner, confirm } from './owner.ts';
import { type DigestedFile, type FileFlags, reportKnown, reportSent, uploadFile } from './upload-file.ts';

export interface BatchOptions {
  readonly uploader: Uploader;
  /** The name of the server in resume records. */
  readonly server: string;
  readonly flags: FileFlags;
  /** Files uploaded at the same time, as `FileSlots` counts them. */
  readonly atOnce: number;
  readonly output: Output;
  readonly display: ProgressDisplay;
  readonly tally: Tally;
  readonly checksums: ChecksumFile | null;
  /** @returns the name of a file in the list of checksums. */
  readonly nameOf: (found: Found) => string;
  /** Aborting it pauses all uploads. */
  readonly signal: AbortSignal;
}

export class Batch {
  readonly #options: BatchOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #memories = new Map<string, Promise<FolderJournal>>();
  readonly #known: KnownFiles | null;
  #owner: Promise<string> | null = null;
  #reportedUnknown = false;
  #unauthorised = false;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    const { uploader, output, display } = options;
    const surroundings = { api: uploader.api, output, display, signal: this.#signal };
    this.#known = options.flags.skipKnown ? new KnownFiles(surroundings) : null;
  }

  /** Files that were not started because of a stop are neither done nor failed. */
  async run(files: readonly Found[]): Promise<void> {
    const slots = new FileSlots(this.#options.atOnce);
    const running = new Set<Promise<void>>();
    for await (const found of this.#inTurn(files)) {
      let free = slots.take(found.sizeBytes);
      for (; !free; free = slots.take(found.sizeBytes)) await Promise.race(running);
      if (this.#signal.aborted) break;
      const attempt = this.#attempt(found).finally(() => {
        free();
        running.delete(attempt);
      });
      running.add(attempt);
    }
    await Promise.all(running);
  }

  /** With `skipKnown`, the next files are hashed and asked about while these are sent. */
  async *#inTurn(files: readonly Found[]): AsyncGenerator<Found> {
    if (this.#known === null) return yield* files;
    const cuts = cutForCalls(files);
    let looking = this.#look(cuts[0] ?? []);
    for (let next = 1; next <= cuts.length; next++) {
      const left = await looking;
      looking = this.#look(cuts[next] ?? []);
      yield* left;
    }
  }

  /** @returns the files that earlier runs have not uploaded. A server that does not answer ends the batch. */
  async #look(files: readonly Found[]): Promise<Found[]> {
    const left: Found[] = [];
    try {
      for (const found of files) if (!(await this.#wentUp(found))) left.push(found);
      await this.#known?.look(left);
    } catch (error) {
      if (this.#signal.aborted) return [];
      const [first] = files;
      if (first) this.fail(first.path, error);
      return files.slice(1);
    }
    return left;
  }

  get exitCode(): ExitCode {
    const { done, already, failed } = this.#options.tally;
    if (this.#unauthorised) return EXIT.unauthorised;
    if (failed === 0) return EXIT.done;
    return done + already > 0 ? EXIT.someFailed : EXIT.failed;
  }

  /** A selected file that cannot be sent. */
  fail(path: string, error: unknown): void {
    this.#options.tally.failed++;
    this.#options.output.failure(error, path);
    this.#unauthorised ||= exitCodeOf(error) === EXIT.unauthorised;
    // The other files would wait for the same unreachable server.
    if (isAboutServer(error)) this.#stop.abort(error);
  }

  async #attempt(found: Found): Promise<void> {
    try {
      if ((await this.#wentUp(found)) || (await this.#copied(found))) return;
      await this.#upload(found);
    } catch (error) {
      if (!this.#signal.aborted) this.fail(found.path, error);
    }
  }

  /** True when the server has made the file of bytes that it had. */
  async #copied(found: Found): Promise<boolean> {
    const { flags, output, tally, checksums, nameOf } = this.#options;
    const { sizeBytes, modifiedMs, changedMs, inode, inFolder } = found;
    const file = await this.#known?.copy(found, withPath(flags.meta ?? {}, found, flags));
    if (!file) return false;
    if (inFolder) await this.#remember(inFolder, { sizeBytes, modifiedMs, changedMs, inode }, file);
    tally.already++;
    tally.follow()({ storedBytes: sizeBytes, resumedBytes: sizeBytes, sentBytes: 0, savedBytes: 0, retries: 0 });
    checksums?.add(nameOf(found), file.sha256);
    reportKnown(output, found, file);
    return true;
  }

  async #upload(found: Found): Promise<void> {
    const { uploader, flags, output, display, tally, checksums, nameOf } = this.#options;
    const onPublished = async (file: DigestedFile, facts: Facts) => {
      if (found.inFolder) await this.#remember(found.inFolder, facts, file);
    };
    const surroundings = { output, display, signal: this.#signal, follow: tally.follow() };
    const sent = await uploadFile(
      uploader,
      found,
      { ...flags, digest: this.#known?.digestOf(found), onPublished },
      surroundings,
    );
    tally.done++;
    checksums?.add(nameOf(found), sent.file.sha256);
    reportSent(output, found, sent, tally.files > 1);
  }

  /** The file is uploaded. A failed write of the journal is not a failure of the file. */
  async #remember({ folder, path }: InFolder, facts: Facts, file: DigestedFile): Promise<void> {
    try {
      await (await this.#journalOf(folder)).note(path, facts, file);
    } catch (error) {
      this.#options.output.note(
        `${path}: uploaded, but not recorded in the journal; the next run sends it again: ${String(error)}`,
      );
    }
  }

  /** True for a file of a folder that an earlier run uploaded. A file that was named itself is always uploaded. */
  async #wentUp(found: Found): Promise<boolean> {
    const { flags, output, tally, checksums, nameOf } = this.#options;
    if (!found.inFolder || flags.restart) return false;
    const entry = await this.#findKnown(found, found.inFolder);
    if (!entry || !(await this.#isThere(entry))) return false;
    const { path, sizeBytes } = found;
    tally.already++;
    tally.follow()({ storedBytes: sizeBytes, resumedBytes: sizeBytes, sentBytes: 0, savedBytes: 0, retries: 0 });
    checksums?.add(nameOf(found), entry.sha256);
    const { file_id, sha256 } = entry;
    output.event({ event: 'skipped', path, reason: 'uploaded', file_id, size: sizeBytes, sha256 });
    return true;
  }

  async #findKnown(found: Found, { folder, path }: InFolder): Promise<WentUp | null> {
    const journal = await this.#journalOf(folder);
    const known = journal.find(path, found);
    if (known) return known;
    const alike = journal.findAlike(path, found);
    if (alike?.path !== path || (await hashPath(found.path, this.#signal)) !== alike.sha256) return null;
    await journal.note(path, found, alike);
    return alike;
  }

  /** Asks the server. When the token may not read file records, the journal of the owner is used, with a note. */
  async #isThere(entry: WentUp): Promise<boolean> {
    const { uploader, output } = this.#options;
    const { kind } = await confirm(uploader.api, await this.#askOwner(), entry, this.#signal);
    if (kind === 'untold' && !this.#reportedUnknown) {
      this.#reportedUnknown = true;
      output.note('this token may not read file records; the journal of earlier runs is used without a check');
    }
    return kind !== 'gone';
  }

  async #askOwner(): Promise<string> {
    if (!this.#owner) {
      const owner = askOwner(this.#options.uploader.api, this.#signal);
      this.#owner = owner;
      // The next file tries again.
      owner.catch(() => {
        this.#owner = null;
      });
    }
    return await this.#owner;
  }

  async #journalOf(folder: string): Promise<FolderJournal> {
    let journal = this.#memories.get(folder);
    if (!journal) {
      journal = this.#openJournal(folder);
      this.#memories.set(folder, journal);
      // The next file tries again.
      journal.catch(() => this.#memories.delete(folder));
    }
    return await journal;
  }

  async #openJournal(folder: string): Promise<FolderJournal> {
    const { server, uploader, output } = this.#options;
    const owner = await this.#askOwner();
    const journal = await FolderJournal.open(server, owner, folder);
    await importOldJournal(journal, folder, { api: uploader.api, server, owner, output, signal: this.#signal });
    return journal;
  }
}
