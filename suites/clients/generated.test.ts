/** Clients that others generate from the OpenAPI document, against a running server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import { startServer } from '../server-under-test.ts';
import { bringPython } from './python.ts';

const execute = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
/** More would be one shape under many names. */
const MAX_MODELS = 180;

const server = await startServer({ CRYOLIFT_ACCEPT: 'bin' });
const document = await (await fetch(`${server.url}/openapi.json`)).text();
// Below this folder, so that the packages are found.
mkdirSync(join(HERE, '.cache'), { recursive: true });
const folder = mkdtempSync(join(HERE, '.cache', 'generated-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await server.discard();
});

/** What both programs print. */
function assertUploaded(stdout: string): void {
  const { expected, ...said } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(said, { sha256: expected, status: 206, range: true, refusal: 'file_not_found' });
}

test('clients: openapi-typescript makes types that an upload compiles with, and runs', async () => {
  writeFileSync(join(folder, 'schema.ts'), astToString(await openapiTS(document)));
  copyFileSync(join(HERE, 'typescript/upload.ts'), join(folder, 'upload.ts'));
  const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true };
  const compilerOptions = { ...options, allowImportingTsExtensions: true, types: ['node'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['upload.ts'] }));
  const compiled = await execute(process.execPath, [TSC, '-p', folder]).catch((error: { stdout: string }) => error);
  assert.equal(compiled.stdout, '');
  const { stdout } = await execute(process.execPath, [join(folder, 'upload.ts'), server.url, server.token()]);
  assertUploaded(stdout);
});

const python = bringPython();

test('clients: openapi-python-client makes a client without a warning, and an upload runs with it', {
  skip: 'missing' in python ? python.missing : false,
}, async () => {
  const { bin } = python as { bin: string };
  const [source, made] = [join(folder, 'openapi.json'), join(folder, 'cryolift_client')];
  writeFileSync(source, document);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, PYTHONPATH: folder };
  const run = (...args: string[]) => execute(join(bin, 'python'), args, { env });
  const generate = ['-m', 'openapi_python_client', 'generate', '--fail-on-warning', '--meta', 'none'];
  const paths = ['--path', source, '--output-path', made, '--config', join(HERE, 'python/config.yaml')];
  await run(...generate, ...paths).catch(({ stdout, stderr }) => assert.fail(`${stdout}${stderr}`));
  const models = readdirSync(join(made, 'models')).filter((name) => name !== '__init__.py');
  assert.ok(models.length <= MAX_MODELS, `${models.length} models`);
  const { stdout } = await run(join(HERE, 'python/upload.py'), server.url, server.token());
  assertUploaded(stdout);
});
