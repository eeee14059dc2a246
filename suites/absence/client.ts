/** A client in a process of its own, slow enough to be met in the middle: `client.ts URL TOKEN FILE STATE_FOLDER BYTES_PER_SECOND`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Uploader } from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport } from '@cryolift/client/node';

const [server = '', token = '', path = '', stateFolder = '', rate = ''] = process.argv.slice(2);

let dueMs = performance.now();
async function pace(bytes: number): Promise<void> {
  dueMs = Math.max(performance.now(), dueMs) + (bytes * 1000) / Number(rate);
  await sleep(dueMs - performance.now());
}

const uploader = new Uploader({
  server,
  transport: new HttpTransport(server, { pace }),
  resumeStore: new FileResumeStore(stateFolder),
  getToken: async () => token,
});
const source = await FileSource.open(path);
const file = await uploader.upload(source, {
  partSizeBytes: 1024 * 1024,
  onProgress: ({ storedBytes, sentBytes, lastError }) => print({ storedBytes, sentBytes, trouble: lastError }),
});
print({ sha256: file.sha256 });
// After the last line has been written: an exit does not wait for it.
process.stdout.write('', () => process.exit());

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
