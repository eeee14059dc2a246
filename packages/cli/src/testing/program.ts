/** The `cryolift` command that tests run. */
import { fileURLToPath } from 'node:url';

export const SOURCES = fileURLToPath(new URL('../../bin/cryolift.js', import.meta.url));

/** `SOURCES`, or the bundle of them that `npm test` makes (`scripts/test-program.mjs`). */
export const BIN = process.env.CRYOLIFT_TEST_PROGRAM ?? SOURCES;
