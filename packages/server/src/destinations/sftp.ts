/** A folder of an SSH server (SFTP version 3). */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { pipeline } from 'node:stream/promises';
import ssh2, { type Client, type SFTPWrapper } from 'ssh2';
import type { SftpTarget } from '../config/destinations.ts';
import { BEGUN, digestOf, type OutgoingFile, PushRefused, type SavedProgress } from './delivery.ts';
import type { RemoteFolder } from './folder.ts';

const CONNECT_MS = 20_000;
const KEEP_ALIVE_MS = 15_000;
/** Lost keep-alives until the connection counts as lost. */
const MAX_SILENT = 3;
/** Of an SSH_FXP_STATUS (draft-ietf-secsh-filexfer-02). */
const NO_SUCH_FILE = 2;

export class SftpFolder implements RemoteFolder {
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #folder: string;

  private constructor(client: Client, sftp: SFTPWrapper, folder: string) {
    this.#client = client;
    this.#sftp = sftp;
    this.#folder = folder;
  }

  /** @throws PushRefused when the host has another key, or does not accept the user. */
  static async open(target: SftpTarget): Promise<SftpFolder> {
    const client = new ssh2.Client();
    const { host, port, user: username, password, privateKey, passphrase } = target;
    let hasOtherKey = false;
    try {
      await new Promise<void>((resolve, reject) => {
        client
          .once('ready', resolve)
          .on('error', reject)
          .once('close', () => reject(new Error('the connection was closed')));
        client.connect({
          ...{ host, port, username, readyTimeout: CONNECT_MS },
          ...{ keepaliveInterval: KEEP_ALIVE_MS, keepaliveCountMax: MAX_SILENT },
          ...(password === null ? {} : { password }),
          ...(privateKey === null ? {} : { privateKey }),
          ...(passphrase === null ? {} : { passphrase }),
          hostVerifier: (key: Buffer) => {
            hasOtherKey = nameOf(key) !== target.hostKey;
            return !hasOtherKey;
          },
        });
      });
      const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
        client.sftp((error, opened) => (error ? reject(error) : resolve(opened))),
      );
      return new SftpFolder(client, heard(sftp), target.folder);
    } catch (error) {
      client.end();
      if (hasOtherKey)
        throw new PushRefused('The destination has another host key than the settings of the server say.');
      if ((error as { level?: string }).level === 'client-authentication') {
        throw new PushRefused('The destination does not accept the key or password of the settings of the server.');
      }
      throw error;
    }
  }

  async stat(path: string): Promise<number | null> {
    return await this.#sizeOf(this.#at(path));
  }

  async digest(path: string, signal: AbortSignal): Promise<string> {
    return await this.#ending(signal, () => digestOf(this.#read(this.#at(path)), signal));
  }

  async put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    await this.#ending(signal, () => this.#put(path, file, progress, signal));
  }

  async #put(path: string, file: OutgoingFile, progress: SavedProgress, signal: AbortSignal): Promise<void> {
    const whole = this.#at(path);
    const part = `${whole}.cryolift-part`;
    await progress.save(BEGUN);
    const there = await this.#sizeOf(part);
    if (there === null) await this.#makeFolder(dirname(whole));
    // What is there is compared with the rest: a lost connection may have left bytes of another attempt.
    const start = there !== null && there <= file.sizeBytes ? there : 0;
    if (start < file.sizeBytes || there === null) {
      const bytes = start < file.sizeBytes ? await file.read(start, file.sizeBytes - 1) : [];
      const flags = start > 0 ? 'r+' : 'w';
      await pipeline(bytes, heard(this.#sftp.createWriteStream(part, { flags, start })), { signal });
    }
    if ((await digestOf(this.#read(part), signal)) !== file.sha256) {
      await this.#call((done) => this.#sftp.unlink(part, done));
      throw new Error('the destination has other bytes than those that were sent');
    }
    // Fails when there is a file of this name.
    await this.#call((done) => this.#sftp.rename(part, whole, done));
  }

  async discard(path: string): Promise<void> {
    const part = `${this.#at(path)}.cryolift-part`;
    if ((await this.#sizeOf(part)) !== null) await this.#call((done) => this.#sftp.unlink(part, done));
  }

  async close(): Promise<void> {
    this.#client.end();
  }

  /** After an abort the connection is of no use: a server that does not answer would be waited for. */
  async #ending<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const end = () => void this.#client.destroy();
    signal.throwIfAborted();
    signal.addEventListener('abort', end, { once: true });
    try {
      return await work();
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  #read(path: string) {
    return heard(this.#sftp.createReadStream(path));
  }

  #at(path: string): string {
    return this.#folder === '' ? path : `${this.#folder}/${path}`;
  }

  async #sizeOf(path: string): Promise<number | null> {
    return await new Promise((resolve, reject) =>
      this.#sftp.stat(path, (error, stats) => {
        if (!error) return resolve(stats.size);
        if ((error as { code?: number }).code === NO_SUCH_FILE) return resolve(null);
        reject(error);
      }),
    );
  }

  /** Safe to repeat, and at the same time. */
  async #makeFolder(path: string): Promise<void> {
    if (['', '.', '/'].includes(path) || (await this.#sizeOf(path)) !== null) return;
    await this.#makeFolder(dirname(path));
    await this.#call((done) => this.#sftp.mkdir(path, done)).catch(async (error: unknown) => {
      if ((await this.#sizeOf(path)) === null) throw error;
    });
  }

  async #call(work: (done: (error?: Error | null) => void) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => work((error) => (error ? reject(error) : resolve())));
  }
}

/**
 * A stream that was left by an aborted reader still has requests under way. When the connection ends, it emits that as an
 * error, which would end the process: its reader does not listen any more.
 */
function heard<Stream extends NodeJS.EventEmitter>(stream: Stream): Stream {
  return stream.on('error', () => {});
}

/** As `ssh-keygen -l` prints it. */
function nameOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
