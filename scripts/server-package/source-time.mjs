/** Of what a package is made of, in seconds since 1970. The page's files have it: browsers compare their times. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `SOURCE_DATE_EPOCH` (reproducible-builds.org), or else the time of the commit. @throws Error when there is neither. */
export function readSourceTime() {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  const time = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }).trim();
  if (!/^\d+$/.test(time)) throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: ${time}`);
  return time;
}
