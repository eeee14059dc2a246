/** One upload by a client of tus, through bad wires, to a server that may be killed: what came of it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '@cryolift/protocol/plan';
import { DefaultHttpStack, FileUrlStorage } from 'tus-js-client';
import { Owner } from '../../faults/owner.ts';
import { startProxy } from '../../faults/proxy.ts';
import { seedRandom } from '../../faults/random.ts';
import type { SampleFile } from '../../faults/sample-file.ts';
import { type Fault, printFault, writeScript } from '../../faults/script.ts';
import type { OwnServer } from '../../server-under-test.ts';
import { uploadWithPython } from '../clients/python.ts';
import { uploadWithTusJs } from '../clients/tus-js.ts';
import { type Exchanged, startWitness, type Witness } from './witness.ts';

export type ClientName = 'tus-js-client' | 'tuspy';

export interface Setting {
  /** On a port that it keeps. */
  readonly server: OwnServer;
  readonly sample: SampleFile;
  /** Of the Python environment. */
  readonly bin: string;
}

export interface Result {
  readonly client: ClientName;
  readonly seed: number;
  /** What must not be; empty when all is well. */
  readonly wrong: readonly string[];
  /** The errors that ended an attempt after the client's own retries. */
  readonly errors: readonly string[];
  readonly met: readonly Fault[];
  readonly killed: boolean;
  /** Greatest offset that reached the client before something broke. */
  readonly sentBytes: number;
  readonly requests: number;
  readonly ms: number;
  /** For a failure: what was exchanged, and the faults. */
  readonly log: readonly string[];
}

/** Neither client has a time limit of its own: a stall ends. */
const LONGEST_STALL_MS = 1500;
/** Of the scripts. Nobody listens for so long. */
const LONGEST_REFUSAL_MS = 1500;
const KILL_SHARE = 0.3;
const MAX_ATTEMPTS = 3;
const WATCHDOG_MS = 90_000;
const PUBLISHED_WITHIN_MS = 60_000;
const RETRY_DELAYS_MS = [0, 200, 500, 1000, 2000, 3000, 3000];

/** @returns cuts, lost answers, stalls, slow and refused connections. Nothing in tus shows a turned bit. */
function writeFaults(seed: number, sizeBytes: number): Fault[] {
  const script = writeScript(seed, { sizeBytes, stallMs: LONGEST_STALL_MS });
  return script
    .filter(({ kind }) => kind !== 'flip')
    .map((fault) => (fault.kind === 'stall' ? { ...fault, forMs: fault.forMs ?? LONGEST_STALL_MS } : fault));
}

export async function runSeed(client: ClientName, seed: number, setting: Setting): Promise<Result> {
  const { server, sample } = setting;
  const startedMs = performance.now();
  const random = seedRandom(seed * 7919 + 1);
  const token = server.token({ sub: `${client}-${seed}` });
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-tus-faults-'));
  const wires = await startProxy(server.url, writeFaults(seed, sample.sizeBytes));
  const witness = await startWitness(wires.url);
  const owner = new Owner(server.url, token);
  const watchdog = AbortSignal.timeout(WATCHDOG_MS);
  const done = new AbortController();
  const killAtBytes = random.chance(KILL_SHARE) ? random.whole(MIB, sample.sizeBytes - MIB) : null;
  const chunk = random.pick([MIB, 3 * MIB, sample.sizeBytes]);
  const kill: Kill = { isUnderWay: false };
  const killing = killAtBytes === null ? false : killOnce(kill, server, witness, killAtBytes, done.signal);
  const wrong: string[] = [];
  const errors: string[] = [];
  try {
    const attempt = client === 'tuspy' ? attemptTuspy : attemptTusJs;
    const settle = async () => {
      wires.heal();
      await sleep(LONGEST_REFUSAL_MS);
      if (kill.isUnderWay) await killing;
    };
    await tryUntilDone(() => attempt({ witness, token, folder, chunk, setting, watchdog }), settle, watchdog, errors);
    done.abort();
    await killing;
    wrong.push(...(await compareLater(owner, sample)));
  } catch (error) {
    wrong.push(watchdog.aborted ? `hung for ${WATCHDOG_MS} ms` : String(error));
  } finally {
    done.abort();
    await killing;
    witness.close();
    wires.close();
    await owner.clear().catch((error) => wrong.push(`the server cannot be asked: ${error}`));
    rmSync(folder, { recursive: true });
  }
  wrong.push(...findRestarts(witness.exchanges));
  return {
    client,
    seed,
    wrong,
    errors,
    met: wires.met,
    killed: await killing,
    sentBytes: witness.sentBytes,
    requests: witness.exchanges.length,
    ms: performance.now() - startedMs,
    log: [...wires.met.map(printFault), ...witness.exchanges.map(printExchange)],
  };
}

/** After an error again, as somebody does who runs the command again. @param settle makes wires and server good. */
async function tryUntilDone(
  attempt: () => Promise<void>,
  settle: () => Promise<void>,
  watchdog: AbortSignal,
  errors: string[],
): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => {});
  watchdog.addEventListener('abort', () => reject(watchdog.reason), { once: true });
  for (let nr = 1; ; nr++) {
    try {
      return await Promise.race([attempt(), late]);
    } catch (error) {
      if (watchdog.aborted || nr === MAX_ATTEMPTS) throw error;
      errors.push((error as Error).message.replace(/\s+/g, ' ').slice(0, 200));
    }
    await settle();
  }
}

interface Kill {
  isUnderWay: boolean;
}

interface Attempt {
  readonly witness: Witness;
  readonly token: string;
  /** Where the client keeps the URL of the upload. */
  readonly folder: string;
  readonly chunk: number;
  readonly setting: Setting;
  readonly watchdog: AbortSignal;
}

async function attemptTusJs({ witness, token, folder, chunk, setting }: Attempt): Promise<void> {
  const { path, name } = setting.sample;
  await uploadWithTusJs(readFileSync(path), {
    endpoint: `${witness.url}/tus`,
    headers: { authorization: `Bearer ${token}` },
    metadata: { filename: name },
    chunkSize: chunk,
    retryDelays: RETRY_DELAYS_MS,
    urlStorage: new FileUrlStorage(join(folder, 'urls.json')),
    resume: true,
    // Each connection meets one fault: without this, most uploads have one connection.
    httpStack: new DefaultHttpStack({ agent: new Agent({ keepAlive: false }) }),
  });
}

/** @throws Error with what the client printed last. */
async function attemptTuspy({ witness, token, folder, chunk, setting, watchdog }: Attempt): Promise<void> {
  const { path, name } = setting.sample;
  const upload = {
    client: 'tuspy' as const,
    endpoint: `${witness.url}/tus`,
    authorization: `Bearer ${token}`,
    path,
    name,
    options: { chunk, store: join(folder, 'urls.json') },
  };
  const { code, stderr } = await uploadWithPython(setting.bin, upload, watchdog);
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1));
}

/** @returns whether it came to that. */
async function killOnce(
  kill: Kill,
  server: OwnServer,
  witness: Witness,
  atBytes: number,
  over: AbortSignal,
): Promise<boolean> {
  while (witness.sentBytes < atBytes) {
    if (over.aborted) return false;
    await sleep(5);
  }
  kill.isUnderWay = true;
  await server.kill9();
  await server.restart();
  return true;
}

async function compareLater(owner: Owner, sample: SampleFile): Promise<string[]> {
  for (const deadline = Date.now() + PUBLISHED_WITHIN_MS; ; await sleep(100)) {
    const wrong = await owner.compare(sample);
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
  }
}

/** Once 1 MiB was acknowledged to the client, nothing begins at byte 0 again. */
function findRestarts(exchanges: readonly Exchanged[]): string[] {
  const first = exchanges.findIndex(({ acknowledged }) => (acknowledged ?? 0) >= MIB);
  if (first < 0) return [];
  return exchanges
    .slice(first + 1)
    .filter(({ method, offset }) => method === 'POST' || (method === 'PATCH' && offset === 0))
    .map((each) => `began at byte 0 again: ${printExchange(each)}`);
}

function printExchange({ method, path, offset, status, acknowledged }: Exchanged): string {
  const answer = status === null ? 'no answer' : `${status}${acknowledged === null ? '' : ` at ${acknowledged}`}`;
  return `${method} ${path}${offset === null ? '' : ` at ${offset}`}: ${answer}`;
}
