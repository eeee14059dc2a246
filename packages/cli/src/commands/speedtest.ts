/** `cryolift speedtest`: measures what disk, hash, TLS, the network and the server allow, and names the slowest. */
import { Api } from '@cryolift/client';
import { type ConnectionOptions, open, UPLOADS } from '../connection/connection.ts';
import { formatBytes } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { measureDisk, measureHash, measureTls } from '../speedtest/local.ts';
import type { Measured } from '../speedtest/measure.ts';
import { measureDown, measureLatency, measureUp } from '../speedtest/remote.ts';
import { findSlowest, type Verdict } from '../speedtest/verdict.ts';

interface SpeedFlags extends ConnectionOptions {
  json?: boolean;
  /** A file or a folder that is read. */
  from?: string;
  /** Of the trial upload, bytes. */
  size: number;
  /** Of each measurement, seconds. */
  seconds: number;
}

const LABELS: Readonly<Record<Measured['what'], string>> = {
  disk: 'disk',
  hash: 'hash',
  tls: 'TLS',
  latency: 'latency',
  up: 'up',
  server: 'server',
  down: 'down',
};
const REASONS: Readonly<Record<Verdict['slowest'], string>> = {
  disk: 'reading the files here',
  hash: 'the SHA-256 of this machine',
  tls: 'the encryption of this machine',
  up: 'the network, or the SHA-256 of the server',
  server: 'the server, while it stores',
  latency: '',
  down: '',
};
const LABEL_WIDTH = 'latency'.length;
const RATE_WIDTH = 12;

/** @param server its URL, instead of `--server`. */
export async function testSpeed(
  server: string | undefined,
  { json, from, size, seconds, ...connection }: SpeedFlags,
): Promise<ExitCode> {
  if (server !== undefined && connection.server !== undefined)
    throw new UsageError('give SERVER or --server, not both');
  const { transport, getToken, server: url } = open({ ...connection, ...(server && { server }) }, UPLOADS);
  const api = new Api(transport, getToken);
  const output = new Output(json);
  const signal = interruptible();
  const ms = seconds * 1000;
  const measured: Measured[] = [];
  const note = (...found: Measured[]) => {
    for (const each of found) {
      measured.push(each);
      output.result(each, () => describe(each));
    }
  };
  output.note(`measuring ${url} …`);
  note(await measureDisk(from, ms, signal));
  note(measureHash(ms));
  note(measureTls(ms, url.startsWith('https:')));
  note(await measureLatency(api, signal));
  note(...(await measureUp(api, size, ms, signal)));
  note(await measureDown(api, ms, signal));
  const verdict = findSlowest(measured);
  if (verdict) output.result(verdict, () => `An upload is limited by ${REASONS[verdict.slowest]}: ${rate(verdict)}.`);
  return EXIT.done;
}

function describe({ what, bytes_per_second, milliseconds, note }: Measured): string {
  const value =
    bytes_per_second === null ? (milliseconds === null ? '-' : `${milliseconds} ms`) : rate({ bytes_per_second });
  return `${LABELS[what].padEnd(LABEL_WIDTH)}  ${value.padStart(RATE_WIDTH)}  ${note}`;
}

function rate({ bytes_per_second }: Pick<Verdict, 'bytes_per_second'>): string {
  return `${formatBytes(bytes_per_second)}/s`;
}
