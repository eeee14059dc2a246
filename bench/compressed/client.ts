/**
 * Uploads one file with the SDK, as the command does; prints how long it took and what was sent.
 * `CRYOLIFT_TOKEN=… node client.ts FILE URL FOLDER zstd|identity`. FOLDER: for what the client keeps.
 */
import { type Progress, Uploader } from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport, zstdEncoder } from '@cryolift/client/node';

export interface Outcome {
  readonly seconds: number;
  /** Of parts, as they travelled. */
  readonly wireBytes: number;
}

const [path = '', server = '', folder = '', coding] = process.argv.slice(2);
const transport = new HttpTransport(server);
const uploader = new Uploader({
  server,
  transport,
  encoder: coding === 'zstd' ? zstdEncoder : undefined,
  resumeStore: new FileResumeStore(folder),
  getToken: async () => process.env.CRYOLIFT_TOKEN ?? '',
});
const source = await FileSource.open(path);
let progress: Progress | undefined;
const begin = performance.now();
await uploader.upload(source, {
  onProgress(now) {
    progress = now;
  },
});
const outcome: Outcome = { seconds: (performance.now() - begin) / 1000, wireBytes: progress?.sentBytes ?? 0 };
transport.close();
await source.close();
console.log(JSON.stringify(outcome));
