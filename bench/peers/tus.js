/** `@tus/server` as its own page shows it. `node tus.js FOLDER [MILLISECONDS UNTIL AN UPLOAD EXPIRES]` */
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

// On Node 26, a connection that ends within a body makes it throw where nobody can catch: that would end all its uploads.
process.on('uncaughtException', (error) => console.error(`not caught: ${error.message}`));
const [directory, expires = '0'] = process.argv.slice(2);
const datastore = new FileStore({ directory, expirationPeriodInMilliseconds: Number(expires) });
const server = new Server({ path: '/files', datastore });
const listener = server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${listener.address().port}`);
});
