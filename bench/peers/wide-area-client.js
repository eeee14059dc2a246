/** Uploads one file with `tus-js-client`; prints how it went. `node wide-area-client.js FILE URL PARALLEL` */
import { createReadStream, statSync } from 'node:fs';

import { Upload } from 'tus-js-client';

const [path, url, parallel] = process.argv.slice(2);
const { promise, resolve, reject } = Promise.withResolvers();
let retries = 0;
const upload = new Upload(createReadStream(path), {
  endpoint: `${url}/files`,
  parallelUploads: Number(parallel),
  onShouldRetry() {
    retries++;
    return true;
  },
  onSuccess: resolve,
  onError: reject,
});
const begin = performance.now();
upload.start();
await promise;
console.log(JSON.stringify({ bytes: statSync(path).size, seconds: (performance.now() - begin) / 1000, retries }));
