/** Signatures by `ssh-keygen`, which most systems have. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a key of SSH signs for one purpose is not valid for another one. */
const PURPOSE = 'cryolift-release';

/** Writes `path.sig`, and checks it. @param key the file of an SSH key; of a public one, the agent has the other half. */
export function sign(path, key) {
  execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', PURPOSE, path], { stdio: 'inherit' });
  execFileSync('ssh-keygen', ['-q', '-Y', 'check-novalidate', '-n', PURPOSE, '-s', `${path}.sig`], {
    input: readFileSync(path),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}
