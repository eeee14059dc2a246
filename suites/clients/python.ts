/**
 * Python with openapi-python-client, in a virtual environment of this checkout. What is missing is installed; `npm test` runs
 * this file as a program first, because tests have less time.
 */
import { fileURLToPath } from 'node:url';
import { canInstall } from '../program.ts';
import { bringEnvironment, type Environment } from '../python-environment.ts';

const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));

/** Makes the environment where it is missing and that can be done. */
export function bringPython(): Environment {
  // The generator needs 3.11.
  return bringEnvironment({ name: 'python', requirements: REQUIREMENTS, minor: 11, what: 'the client of Python' });
}

if (import.meta.main) {
  const environment = bringPython();
  if ('missing' in environment) {
    console.log(`tests of the client of Python are skipped: ${environment.missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
