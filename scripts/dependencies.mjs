/**
 * Lists what a production install of the server and the command line consists of, out of the lock file: `npm run
 * dependencies` writes docs/dependencies.md. What the page is built from is in its built files, and not counted.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { licenceOf } from './licences.mjs';

const LOCK = new URL('../package-lock.json', import.meta.url);
const PAGE = new URL('../docs/dependencies.md', import.meta.url);
const INSTALLED = ['packages/cli', 'packages/server'];
/** Why each is there that we chose ourselves. */
const REASONS = {
  '@aws-sdk/client-s3': 'calls of S3-compatible services: signatures, credentials of AWS, retries within a budget',
  '@aws-sdk/s3-request-presigner': 'signed URLs of objects',
  '@fastify/cors': 'answers browsers of other origins; the rules are longer than they look',
  '@fastify/rate-limit': 'counts requests per owner, with the IETF draft’s headers',
  '@fastify/static': 'serves the built page with ETags; it brings a glob that we do not use',
  '@fastify/swagger': 'makes the OpenAPI document out of the schemas of the routes',
  '@fastify/swagger-ui': '`GET /docs`; it brings `@fastify/static` and a YAML writer',
  '@fastify/type-provider-typebox': 'schemas of routes as types',
  ajv: 'validates requests; Fastify has it as well',
  'cli-progress': 'bars on a terminal',
  commander: 'parses the command line; no dependency',
  'content-disposition': 'encodes file names in headers (RFC 8187); @fastify/static has it as well',
  'structured-headers': 'structured fields (RFC 9651) of resumable uploads; no dependency',
  'eventsource-parser': 'reads server-sent events in the SDK, with a bound on what it keeps; no dependency',
  'fast-json-stringify': 'serializes answers by their schemas; Fastify has it as well',
  fastify: 'routes, hooks, serialisation; the largest part of what is here',
  jose: 'JWT, JWKS; no dependency, and the one thing that nobody should write himself',
  'openid-client':
    'signs people in at identity providers (OAuth 2.0, OpenID Connect); certified, loaded when it is needed',
  pg: 'PostgreSQL; the client that most of Node uses, without native code',
  kysely: 'SQL that is checked against the tables, in two dialects; no dependency',
  'lru-cache': 'caches with a bound and an age that drop the oldest entry, not all of them; no dependency',
  pino: 'the log; Fastify has it as well',
  'toml-eslint-parser': 'reads the settings file of a watch, with the line of each key; TOML 1.0',
  ssh2: 'SFTP to destinations of pushes: the client that most of Node uses; its native parts are optional, and not needed',
  'prom-client': 'metrics of Prometheus’ format; its histograms and Node’s own figures',
  canonicalize: 'canonical JSON (RFC 8785) of receipts, by an author of the RFC; no dependency',
  typebox: 'schemas of messages, shared by server and clients; no dependency',
  ulid: 'ids that sort by time; no dependency',
};

const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'));

/** As Node finds it: beside, then above. */
function find(from, name) {
  for (let folder = from; ; folder = folder.replace(/(^|\/)(node_modules\/)?(@[^/]+\/)?[^/]+$/, '')) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    const found = packages[place];
    if (found) return found.link ? found.resolved : place;
    if (folder === '') return null;
  }
}

/** Everything that a package needs, itself included; ours are walked through and not counted. */
function close(place, seen = new Set()) {
  if (place === null || seen.has(place)) return seen;
  seen.add(place);
  const { dependencies = {}, optionalDependencies = {} } = packages[place];
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) close(find(place, name), seen);
  return seen;
}

const isOurs = (place) => place.startsWith('packages/');
const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
const installed = [...new Set(INSTALLED.flatMap((place) => [...close(place)]))];
const all = new Set(installed.filter((place) => !isOurs(place)));
const ours = installed.filter(isOurs);
const chosen = [...new Set(ours.flatMap((place) => Object.keys(packages[place].dependencies ?? {})))]
  .map((name) => find('', name))
  .filter((place) => place !== null && !isOurs(place))
  .sort();

const licences = new Map();
for (const place of all) {
  const license = licenceOf(place, packages[place]);
  licences.set(license, (licences.get(license) ?? 0) + 1);
}
const rows = chosen.map((place) => {
  const name = nameOf(place);
  const brought = [...close(place)].filter((each) => each !== place);
  return `| ${name} ${packages[place].version} | ${licenceOf(place, packages[place])} | ${brought.length} | ${REASONS[name] ?? ''} |`;
});
const list = [...all]
  .sort()
  .map((place) => `${nameOf(place)} ${packages[place].version} (${licenceOf(place, packages[place])})`);

const text = `# Dependencies

\`npm run dependencies\` writes this page from the lock file, and a test compares them. \`npm run sbom\` writes a
CycloneDX document, and \`npm audit\` lists known vulnerabilities. All versions are exact, in the manifests and in the
lock file.

A production install of server and command line has ${all.size} packages of others. ${chosen.length} of them are direct dependencies.
Our aim is 40 packages in all. Fastify alone is ${close(find('', 'fastify')).size}, and the API documentation at \`/docs\` with its static files
is ${[...close(find('', '@fastify/swagger-ui'))].length}. The server needs no compiler. Node itself is pinned as a package, too.

| chosen | licence | brings | for |
|---|---|---|---|
${rows.join('\n')}

"Brings" counts the packages that it depends on, also those that others depend on as well.

## Licences
${[...licences]
  .sort(([, a], [, b]) => b - a)
  .map(([licence, count]) => `${licence}: ${count}`)
  .join(', ')}.

## All of them
${wrap(`${list.join(', ')}.`)}
`;

/** In lines of at most 120 characters. */
function wrap(line) {
  return line.replace(/(.{1,120})(?: |$)/g, '$1\n').trimEnd();
}

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(fileURLToPath(PAGE), text);
