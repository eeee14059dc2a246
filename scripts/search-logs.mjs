/**
 * Searches the logs of all servers of a test run for secrets: `node scripts/search-logs.mjs FOLDER`.
 * The tests plant these values in tokens, URLs, metadata and files; each is searched for separately, so that a leak is identified.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRETS = {
  'the secret of the test servers': /only for tests: 32 bytes or more of it|a signing secret that must stay one/,
  'a token': /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/,
  'an upload link': /cl_link_[\w-]{16,}/,
  'the signature of a URL': /cl_sig=[\w-]/,
  'the secret of a webhook': /whsec_[A-Za-z0-9+/]{8,}/,
  'a value of metadata': /SECRET-METADATA|drop table files/,
  'bytes of a file': /SECRET-BYTES/,
  'a header or a query': /SECRET-HEADER|SECRET-QUERY/,
  'an Authorization header': /[Bb]earer +[\w.-]{16,}/,
};
/** With fewer lines than this, the search proves nothing. */
const LEAST_LINES = 1000;

const folder = process.argv[2];
const names = readdirSync(folder);
let lines = 0;
let leaks = 0;
for (const name of names) {
  for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
    if (line === '') continue;
    lines++;
    for (const [what, pattern] of Object.entries(SECRETS)) {
      if (!pattern.test(line)) continue;
      leaks++;
      console.log(`# LOGGED: ${what} in ${name}: ${line.slice(0, 500)}`);
    }
  }
}
// Nothing to say: a run ends with the test runner's own lines.
if (leaks > 0 || lines < LEAST_LINES) console.log(`# ${lines} lines of ${names.length} servers, ${leaks} leaks`);
process.exitCode = leaks === 0 && lines >= LEAST_LINES ? 0 : 1;
