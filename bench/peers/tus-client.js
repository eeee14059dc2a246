/** Sends one file with `tus-js-client`, which hashes nothing. `node tus-client.js FILE URL` */
import { createReadStream } from 'node:fs';
import { Upload } from 'tus-js-client';

const [path, url] = process.argv.slice(2);
const { promise, resolve, reject } = Promise.withResolvers();
new Upload(createReadStream(path), {
  endpoint: `${url}/files`,
  retryDelays: null,
  onSuccess: resolve,
  onError: reject,
}).start();
await promise;
