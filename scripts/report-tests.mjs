/**
 * A reporter of `node --test` that writes one line of JSON for each test: `{file, ms, isFailed}`, and for one that was skipped
 * `{file, name, reason}`. `scripts/test.mjs` reads them and lists at its end what was not run, and which files took the
 * most time, so that no suite has to report that itself.
 */
import { relative } from 'node:path';

export default async function* reportTests(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // `file` is where `test()` is called, which is a helper for some tests. That one alone has no tests.
    const path = data.entryFile ?? data.file;
    const file = path === undefined ? '' : relative(process.cwd(), path);
    if (data.nesting === 0) {
      const ms = Math.round(data.details.duration_ms);
      yield `${JSON.stringify({ file, ms, isFailed: type === 'test:fail' })}\n`;
    }
    const why = data.skip ?? data.todo;
    if (why === undefined || why === false) continue;
    const reason = typeof why === 'string' && why !== '' ? why : 'no reason is given';
    yield `${JSON.stringify({ file, name: data.name, reason })}\n`;
  }
}
