/**
 * Python with mrcfile, gemmi and tifffile, in a virtual environment of this checkout. `npm test` runs this file as a program first,
 * because tests have less time.
 */
import { fileURLToPath } from 'node:url';
import { canInstall } from '../program.ts';
import { bringEnvironment, type Environment } from '../python-environment.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Makes the environment where it is missing and that can be done. */
export function bringReaders(): Environment {
  return bringEnvironment({ name: 'mrc', requirements: REQUIREMENTS, minor: 11, what: 'mrcfile, gemmi and tifffile' });
}

if (import.meta.main) {
  const environment = bringReaders();
  if ('missing' in environment) {
    console.log(`tests against mrcfile, gemmi and tifffile are skipped: ${environment.missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
