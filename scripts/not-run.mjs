/**
 * A reporter of `node --test` that writes one line of JSON for each test that was skipped: `{file, name, reason}`.
 * `scripts/test.mjs` reads them and lists them at its end, so that no suite has to report its own skips.
 */
import { relative } from 'node:path';

export default async function* reportNotRun(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const why = data.skip ?? data.todo;
    if (why === undefined || why === false) continue;
    const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
    const reason = typeof why === 'string' && why !== '' ? why : 'no reason is given';
    yield `${JSON.stringify({ file, name: data.name, reason })}\n`;
  }
}
