/** What a start loads: every module costs each server time and memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Each with what needs it. */
const UNUSED = [
  // `fetch`, and every `import` of node:http: see node-http.ts.
  'internal/deps/undici',
  // The OpenAPI document and its page.
  '/@fastify/swagger/',
  '/@fastify/swagger-ui/',
  '/yaml/',
  // Buckets.
  '/@aws-sdk/',
  // Pushes.
  '/ssh2/',
];

test('start: what only some servers or some calls need is not loaded', () => {
  const server = new URL('../main.ts', import.meta.url).href;
  const program = `
    import { createRequire } from 'node:module';
    await import('${server}');
    const { cache } = createRequire('${server}');
    console.log(JSON.stringify([...process.moduleLoadList, ...Object.keys(cache)]));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  const loaded = JSON.parse(output) as string[];
  assert.ok(
    loaded.some((name) => name.includes('/fastify/')),
    'the server is loaded',
  );
  for (const unused of UNUSED) assert.deepEqual(loaded.filter((name) => name.includes(unused)).slice(0, 3), [], unused);
});
