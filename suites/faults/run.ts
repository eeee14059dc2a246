/** One upload over a wire that a script makes bad: what came of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConnectionError,
  ForeignReplyError,
  ServerError,
  SourceError,
  Uploader,
  type UploadOptions,
} from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Target } from '../server-under-test.ts';
import { Owner } from './owner.ts';
import { type BadWires, startProxy } from './proxy.ts';
import type { SampleFile } from './sample-file.ts';
import { type Fault, isLossy } from './script.ts';

export interface Setting {
  readonly server: Target;
  readonly sample: SampleFile;
  readonly partSizeBytes: number;
  /** Of the client. */
  readonly stallMs: number;
  /** A run that takes longer hangs. */
  readonly watchdogMs: number;
}

export interface Result {
  /** What must not be; empty when all is well. */
  readonly wrong: readonly string[];
  /** The clear errors that ended an attempt, which the next one, over a good wire, had to cure. */
  readonly errors: readonly string[];
  /** The file is right, but the client was told otherwise: a turned bit in an answer that nothing covers. */
  readonly misread: boolean;
  readonly met: readonly Fault[];
  /** Faults met that can lose what is on its way, and connections that the client gave up itself. */
  readonly cuts: number;
  /** Bytes of parts that came from the client. */
  readonly partBytes: number;
  /** Of these, beyond the file's size. */
  readonly wasteBytes: number;
  /** Parts in flight × part size, for every cut; and the file, if an error advised to start anew. */
  readonly boundBytes: number;
  readonly mostParts: number;
  readonly givenUp: number;
  /** Of the attempt over the bad wire. */
  readonly retries: number;
  readonly ms: number;
  readonly log: readonly string[];
}

/** Over a bad wire, then over a good one, then anew if that is what the error advises. */
const MAX_ATTEMPTS = 3;

/** @param sub a caller whom the server does not know yet. */
export async function runOver(faults: readonly Fault[], sub: string, setting: Setting): Promise<Result> {
  const { server, sample, partSizeBytes } = setting;
  const startedMs = performance.now();
  const token = server.token({ sub });
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-faults-'));
  const proxy = await startProxy(server.url, faults);
  const owner = new Owner(server.url, token);
  const watchdog = AbortSignal.timeout(setting.watchdogMs);
  const tried: Tried = { errors: [], wrong: [], retries: 0, restarted: false, file: null };
  try {
    await Promise.race([tryUntilDone(proxy, token, folder, setting, watchdog, tried), rejection(watchdog)]);
    tried.wrong.push(...(await owner.compare(sample)));
  } catch (error) {
    tried.wrong.push(watchdog.aborted ? `hung for ${setting.watchdogMs} ms` : String(error));
  } finally {
    proxy.close();
    await owner.clear().catch((error) => tried.wrong.push(`the server cannot be asked: ${error}`));
    await rm(folder, { recursive: true });
  }
  const cuts = proxy.met.filter((fault) => isLossy(fault, setting.stallMs)).length + proxy.givenUp;
  const boundBytes = cuts * proxy.mostParts * partSizeBytes + (tried.restarted ? sample.sizeBytes : 0);
  const wasteBytes = Math.max(0, proxy.partBytes - sample.sizeBytes);
  if (wasteBytes > boundBytes) tried.wrong.push(`${wasteBytes} bytes too many were sent, above ${boundBytes}`);
  return {
    wrong: tried.wrong,
    errors: tried.errors,
    misread: tried.file?.sha256 !== sample.sha256,
    met: proxy.met,
    cuts,
    partBytes: proxy.partBytes,
    wasteBytes,
    boundBytes,
    mostParts: proxy.mostParts,
    givenUp: proxy.givenUp,
    retries: tried.retries,
    ms: performance.now() - startedMs,
    log: proxy.log,
  };
}

interface Tried {
  readonly errors: string[];
  readonly wrong: string[];
  retries: number;
  restarted: boolean;
  file: FileRecord | null;
}

/** Uploads; after an error again over a good wire, as somebody does who runs the command again and reads its hints. */
async function tryUntilDone(
  proxy: BadWires,
  token: string,
  folder: string,
  setting: Setting,
  signal: AbortSignal,
  tried: Tried,
): Promise<void> {
  const options: UploadOptions = {
    signal,
    partSizeBytes: setting.partSizeBytes,
    onProgress: ({ retries }) => {
      tried.retries = Math.max(tried.retries, retries);
    },
  };
  for (let attempt = 1; ; attempt++) {
    const transport = new HttpTransport(proxy.url, { stallMs: setting.stallMs });
    const resumeStore = new FileResumeStore(folder);
    const uploader = new Uploader({ server: proxy.url, transport, resumeStore, getToken: async () => token });
    const source = await FileSource.open(setting.sample.path);
    try {
      tried.file = await uploader.upload(source, { ...options, restart: tried.restarted });
      return;
    } catch (error) {
      const advised = error instanceof SourceError && error.hint.includes('--restart');
      if (signal.aborted || attempt === MAX_ATTEMPTS || (attempt > 1 && !advised)) throw error;
      tried.restarted = attempt > 1;
      if (!isClear(error)) tried.wrong.push(`not a clear error: ${(error as Error).stack}`);
      tried.errors.push(nameError(error));
    } finally {
      transport.close();
      await source.close();
    }
    proxy.heal();
  }
}

/** It says what happened and what to do. */
function isClear(error: unknown): boolean {
  const known = [ServerError, ConnectionError, ForeignReplyError, SourceError];
  return known.some((kind) => error instanceof kind && error.message !== '' && error.hint !== '');
}

function nameError(error: unknown): string {
  if (error instanceof ServerError) return `${error.status} ${error.code}`;
  if (error instanceof SourceError) return error.code;
  return `${(error as Error).name}: ${(error as Error).message}`;
}

async function rejection(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await promise;
}
