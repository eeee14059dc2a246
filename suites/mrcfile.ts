/**
 * The Python package mrcfile, which `packages/mrc/src/statistics/oracle.test.ts` compares with. `npm test` runs this file
 * as a program first, because tests have less time.
 */
import { bringProgram, canInstall } from './program.ts';

const missing = bringProgram(
  { name: '/usr/bin/python3', packages: ['python3-mrcfile'], versionArgs: ['-c', 'import mrcfile, numpy'] },
  'the statistics of mrcfile',
);
if (missing !== null) console.log(`tests against mrcfile are skipped: ${missing}`);
if (missing !== null && canInstall()) process.exitCode = 1;
