/**
 * `npm run release:prepare -- VERSION`: writes the version into the manifests, the lock file and the names of images and
 * archives, and moves what CHANGELOG.md has under Unreleased to a section of this version. Commit what it has changed.
 */
import { fileURLToPath } from 'node:url';
import { moveUnreleased } from './changelog.mjs';
import { SEMVER, setVersions } from './versions.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const [version = ''] = process.argv.slice(2);

if (!SEMVER.test(version)) {
  console.error(`release: "${version}" is not a version like 1.2.3 or 1.2.3-beta.1`);
  process.exit(2);
}
try {
  moveUnreleased(ROOT, version, new Date().toISOString().slice(0, 10));
  setVersions(ROOT, version);
  console.log(`release: look at \`git diff\`, and commit it as "all: release ${version}"`);
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}
