/** Bytes on their way: request bodies on the fast path, and files that are moved to another storage. */
import type { Mutation } from '../mutation.ts';

const FAST_PATH = 'packages/server/src/http/connection/fast-path';
const RELOCATION = 'packages/server/src/relocation';

export const TRANSIT: readonly Mutation[] = [
  {
    name: 'a request with two lengths is read by the first parser that takes it',
    invariant: 1,
    file: `${FAST_PATH}/head.ts`,
    find: 'if (digits === undefined || bodyBytes !== undefined) return null;',
    replace: 'if (digits === undefined) return null;',
    tests: [`${FAST_PATH}/head.test.ts`],
  },
  {
    name: 'a chunked body is read as if it had a length',
    invariant: 1,
    file: `${FAST_PATH}/head.ts`,
    find: 'if (FRAMING.has(lowerName)) return null;',
    replace: "if (FRAMING.has(lowerName) && lowerName !== 'transfer-encoding') return null;",
    tests: [`${FAST_PATH}/head.test.ts`],
  },
  {
    name: 'a slow disk does not slow the client',
    invariant: 9,
    file: `${FAST_PATH}/body.ts`,
    find: '      this.#socket.pause();\n      ready.then(() => this.#goOn(pump));\n    } else this.#goOn(pump);',
    replace: '      this.#goOn(pump);\n    } else this.#goOn(pump);',
    tests: [`${FAST_PATH}/server.test.ts`],
  },
  {
    name: 'a body that was cut off is committed',
    invariant: 1,
    file: `${FAST_PATH}/body.ts`,
    find: 'if (!this.complete) this.#pump?.abort(new ClientGone());',
    replace: 'this.#pump?.commit();',
    tests: [`${FAST_PATH}/server.test.ts`],
    pattern: 'a client that closes in the middle',
    hangs: true,
  },
  {
    name: 'a file that is damaged at its source is moved to the other storage',
    invariant: 12,
    file: `${RELOCATION}/file-digest.ts`,
    find: 'return whole.equals(this.#row.sha256) ? whole : null;',
    replace: 'return whole.length === this.#row.sha256.length ? whole : null;',
    tests: [`${RELOCATION}/file-digest.test.ts`],
  },
  {
    name: 'a file without a digest of the whole is moved whatever its parts are',
    invariant: 12,
    file: `${RELOCATION}/file-digest.ts`,
    find: 'return this.#parts.digest().equals(this.#row.parts_sha256) ? whole : null;',
    replace: 'return this.#parts.digest().length === this.#row.parts_sha256.length ? whole : null;',
    tests: [`${RELOCATION}/file-digest.test.ts`],
  },
  {
    name: 'an event that is younger than others is forgotten with them',
    invariant: 4,
    file: 'packages/server/src/db/events.ts',
    find: 'const old = young < 0 ? oldest : oldest.slice(0, young);',
    replace: 'const old = young < 0 ? oldest : oldest.slice(0, young + 1);',
    tests: ['packages/server/src/db/events.test.ts'],
    pattern: 'SQLite',
  },
];
