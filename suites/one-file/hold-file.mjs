/**
 * `node.exe hold-file.mjs SHARING READY PATH…` on Windows: opens files until it is killed, and then makes the file READY.
 * Files that Node opens can be renamed and deleted by others. SQLite opens a file so that others may read and write it,
 * or, with `exclusive=1` in its URI, nothing.
 */
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

const [sharing, ready, ...paths] = process.argv.slice(2);
const databases = paths.map((path) => {
  const url = pathToFileURL(path);
  url.search = sharing === 'nothing' ? 'mode=rw&exclusive=1' : 'mode=rw';
  const database = new DatabaseSync(url);
  try {
    // SQLite opens the file at the first query, and keeps it open.
    database.prepare('SELECT 1 FROM sqlite_schema').get();
  } catch (error) {
    if (error.errstr !== 'file is not a database') throw error;
  }
  return database;
});
writeFileSync(ready, '');
setInterval(() => databases.length, 60_000);
