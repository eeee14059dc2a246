/** What git says of the checkout. */
import { execFileSync } from 'node:child_process';

export function git(root, ...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trimEnd();
}

/** @returns why nothing can be released from it, one line each. */
export function findCheckoutFaults(root, version) {
  const faults = [];
  const branch = git(root, 'rev-parse', '--abbrev-ref', 'HEAD');
  if (branch !== 'main') faults.push(`this is the branch ${branch}, not main`);
  const changed = git(root, 'status', '--porcelain').split('\n').filter(Boolean);
  if (changed.length > 0) faults.push(`the checkout has changes that are not committed: ${changed.join(', ')}`);
  if (git(root, 'tag', '--list', `v${version}`) !== '') faults.push(`there is a tag v${version} already`);
  return faults;
}

/** Without the user and password that it may have. Null: there is none, or it is no URL. */
export function readOrigin(root) {
  try {
    const url = new URL(git(root, 'remote', 'get-url', 'origin'));
    return Object.assign(url, { username: '', password: '' }).href;
  } catch {
    return null;
  }
}
