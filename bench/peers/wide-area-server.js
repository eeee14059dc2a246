/**
 * `@tus/server`, reachable from elsewhere, with just enough added for `parallelUploads` of `tus-js-client` to go through:
 * neither its file store nor the server itself can put uploads together, so that the client would be refused. Here they say
 * they can, and the last request of the client is answered at once although nothing is put together, which favours tus.
 * `node wide-area-server.js HOST FOLDER`
 */
import { createServer } from 'node:http';

import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [host, directory] = process.argv.slice(2);
const datastore = new FileStore({ directory });
// Spelt as the server spells it.
datastore.extensions.push('concatentation');
const tus = new Server({ path: '/files', datastore });

const listener = createServer((request, response) => {
  const parts = request.headers['upload-concat'];
  if (!parts?.startsWith('final;')) return tus.handle(request, response);
  response.writeHead(201, { 'Tus-Resumable': '1.0.0', Location: `http://${request.headers.host}/files/whole` }).end();
}).listen(0, host, () => {
  console.log(`listening on http://${host}:${listener.address().port}`);
});
