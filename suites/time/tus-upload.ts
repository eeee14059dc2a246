/**
 * tus-js-client in a process of its own: `tus-upload.ts URL TOKEN_PATH FILE`. It reads the token again before each request,
 * as an application does that renews it. Once 1 MiB is acknowledged, it stops itself (SIGSTOP).
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type HttpRequest, Upload } from 'tus-js-client';

const STOP_BYTES = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Its connections are gone when it wakes up. */
const RETRY_DELAYS_MS = [0, 200, 500, 1000, 2000, 4000, 8000];

const [url = '', tokenPath = '', path = ''] = process.argv.slice(2);
const { promise, resolve, reject } = Promise.withResolvers<void>();
const upload = new Upload(readFileSync(path), {
  endpoint: `${url}/tus`,
  chunkSize: CHUNK_BYTES,
  retryDelays: RETRY_DELAYS_MS,
  metadata: { filename: basename(path) },
  onBeforeRequest(request: HttpRequest) {
    request.setHeader('Authorization', `Bearer ${readFileSync(tokenPath, 'utf8')}`);
  },
  onChunkComplete(_, acceptedBytes) {
    if (acceptedBytes === STOP_BYTES) process.kill(process.pid, 'SIGSTOP');
  },
  onSuccess: () => resolve(),
  onError: reject,
});
upload.start();
await promise;
