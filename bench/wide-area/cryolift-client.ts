/**
 * Uploads one file with the SDK and prints an Outcome.
 * `CRYOLIFT_TOKEN=… node cryolift-client.ts FILE URL FOLDER identity|zstd`. FOLDER: of the resume store.
 */
import { readFileSync } from 'node:fs';
import { type Progress, Uploader } from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport, zstdEncoder } from '@cryolift/client/node';

const [path = '', server = '', folder = '', coding] = process.argv.slice(2);
const SAMPLE_MS = 1_000;

export interface Sample {
  readonly seconds: number;
  readonly storedBytes: number;
  readonly sentBytes: number;
  /** Parts: on their way, and one more that was read ahead. */
  readonly underWay: number;
}

const transport = new HttpTransport(server);
const getToken = async () => process.env.CRYOLIFT_TOKEN ?? '';
const encoder = coding === 'zstd' ? zstdEncoder : undefined;
const uploader = new Uploader({ server, transport, encoder, resumeStore: new FileResumeStore(folder), getToken });
const source = await FileSource.open(path);
let progress: Progress | undefined;
const samples: Sample[] = [];
const begin = performance.now();
const sampling = setInterval(() => progress && samples.push(sample(progress)), SAMPLE_MS);

await uploader.upload(source, {
  onProgress(now) {
    progress = now;
  },
});
const seconds = secondsSoFar();
clearInterval(sampling);
transport.close();
await source.close();
const { retries, sentBytes } = progress!;
// Not `resourceUsage`: after a fork it has the memory of the parent.
const memoryMib = Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
console.log(JSON.stringify({ bytes: source.sizeBytes, seconds, retries, sentBytes, memoryMib, samples }));

function sample({ storedBytes, sentBytes, underWay }: Progress): Sample {
  return { seconds: secondsSoFar(), storedBytes, sentBytes, underWay: underWay.size };
}

function secondsSoFar(): number {
  return (performance.now() - begin) / 1000;
}
