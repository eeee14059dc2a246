/** `@uploadx/core` on local disk as its own page shows it. `node uploadx.js FOLDER` */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Uploadx } from '@uploadx/core';

const uploads = new Uploadx({ uploadDir: process.argv[2], useRelativeLocation: true });
const server = createServer(uploads.handle);
// It tries its folder first, and does not say when it has done so.
while (!uploads.storage.isReady) await delay(10);
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
