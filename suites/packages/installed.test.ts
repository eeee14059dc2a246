/** The published packages, used as anyone would use them: installed from tarballs, under plain Node 22 and in a bundle. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildHeader, generateMrc } from '@cryolift/mrc';
import { publint } from 'publint';
import { build } from 'vite';
import { scanSource } from '../imports/scan.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { makeProject, NAMES, type Project, ROOT, readExample } from './project.ts';

const run = promisify(execFile);
const BIN = join(ROOT, 'node_modules/.bin');
const SHAPE = { nx: 1000, ny: 900, nz: 30, mode: 0 };
const SIZE_BYTES = 1024 + SHAPE.nx * SHAPE.ny * SHAPE.nz;
const CONTENT = { header: buildHeader(SHAPE), sizeBytes: SIZE_BYTES, seed: 7 };

/** What a page imports. */
const PAGE = `
import { Uploader } from '@cryolift/client';
import { BlobSource, IndexedDbResumeStore, XhrTransport } from '@cryolift/client/browser';
import { checkMrc } from '@cryolift/mrc';
import { planParts } from '@cryolift/protocol/plan';

export function start(server: string, file: File, token: string) {
  const uploader = new Uploader({
    server,
    transport: new XhrTransport(server),
    resumeStore: new IndexedDbResumeStore(),
    getToken: async () => token,
    parallel: 4,
  });
  return uploader.upload(new BlobSource(file));
}
export { checkMrc, planParts };
`;

let project: Project;
let server: OwnServer;

before(async () => {
  [project, server] = await Promise.all([makeProject(), startServer()]);
  for (const name of NAMES) {
    for (const ending of ['ts', 'mjs']) writeFileSync(join(project.folder, `${name}.${ending}`), readExample(name));
  }
  writeFileSync(join(project.folder, 'page.ts'), PAGE);
  writeFileSync(join(project.folder, 'tomogram.mrc'), Buffer.concat([...generateMrc(CONTENT, SIZE_BYTES)]));
});

after(async () => {
  project?.discard();
  await server?.discard();
});

for (const name of NAMES) {
  test(`${name}: publint and attw find nothing wrong with the package`, async () => {
    const { path } = project.tarballs[name];
    const { messages } = await publint({ pack: { tarball: new Uint8Array(readFileSync(path)).buffer }, strict: true });
    assert.deepEqual(messages, []);
    await run(join(BIN, 'attw'), [path, '--profile', 'esm-only', '--format', 'ascii']);
  });

  test(`${name}: the tarball has JavaScript, types and whole source maps, no test and no source`, () => {
    const { files } = project.tarballs[name];
    for (const file of files) {
      assert.match(file, /^(package\.json|README\.md|LICENSE|.*\.(js|js\.map|d\.ts))$/);
      assert.doesNotMatch(file, /\.test\.|(^|\/)test-/);
    }
    const modules = files.filter((file) => file.endsWith('.js'));
    assert.ok(modules.length > 0);
    for (const file of modules) {
      assert.ok(files.includes(file.replace(/js$/, 'd.ts')), file);
      assert.ok(files.includes(`${file}.map`), file);
      const map = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'dist', `${file}.map`), 'utf8'));
      assert.equal(map.sourcesContent?.length, map.sources.length, file);
    }
  });
}

test('installed packages: a program and a page compile against their types', async () => {
  const strict = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    target: 'es2024',
    exactOptionalPropertyTypes: true,
  };
  const node = { ...strict, module: 'nodenext', types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] };
  const page = { ...strict, module: 'esnext', moduleResolution: 'bundler', lib: ['es2024', 'dom'], types: [] };
  for (const [config, compilerOptions, files] of [
    ['node.json', { ...node, skipLibCheck: true }, NAMES.map((name) => `${name}.ts`)],
    ['page.json', page, ['page.ts']],
  ] as const) {
    writeFileSync(join(project.folder, config), JSON.stringify({ compilerOptions, files }));
    await run(join(BIN, 'tsc'), ['-p', config], { cwd: project.folder }).catch(({ stdout }) => assert.fail(stdout));
  }
});

test('mrc: the example of the README reads a header under plain Node 22', async () => {
  assert.equal(await project.run('mrc.mjs'), 'stack 1000 900 30 [ 1, 1, 1 ]\n');
});

test('mrc: a CommonJS program under plain Node 22 can require it', async () => {
  writeFileSync(join(project.folder, 'old.cjs'), "console.log(typeof require('@cryolift/mrc').checkMrc);");
  assert.equal(await project.run('old.cjs'), 'function\n');
});

test('protocol: the example of the README plans parts under plain Node 22', async () => {
  const digest = createHash('sha256')
    .update(new Uint8Array(4 * 2 ** 20))
    .digest('base64');
  const lines = (await project.run('protocol.mjs')).trimEnd().split('\n');
  assert.equal(lines.length, 3);
  assert.equal(lines[2], `2 ${16 * 2 ** 20} ${4 * 2 ** 20} sha-256=:${digest}:`);
});

test('client: the example of the README uploads to a server under plain Node 22', async () => {
  const token = server.token();
  const output = await project.run('client.mjs', { CRYOLIFT_URL: server.url, CRYOLIFT_TOKEN: token });
  const sha256 = createHash('sha256')
    .update(readFileSync(join(project.folder, 'tomogram.mrc')))
    .digest('hex');
  const lines = output.trimEnd().split('\n');
  assert.ok(lines.includes(`done ${SIZE_BYTES} ${SIZE_BYTES}`), output);
  const [fileId, printed] = lines.at(-1)?.split(' ') ?? [];
  assert.equal(printed, sha256);
  const reply = await fetch(`${server.url}/files/${fileId}`, { headers: { authorization: `Bearer ${token}` } });
  const file = (await reply.json()) as { size: number; sha256: string };
  assert.deepEqual({ size: file.size, sha256: file.sha256 }, { size: SIZE_BYTES, sha256 });
});

test('installed packages: a bundler makes one module for a page, without anything of Node', async () => {
  const warnings: string[] = [];
  await build({
    configFile: false,
    root: project.folder,
    logLevel: 'silent',
    build: {
      lib: { entry: join(project.folder, 'page.ts'), formats: ['es'], fileName: () => 'page.mjs' },
      outDir: join(project.folder, 'bundle'),
      rolldownOptions: { onwarn: ({ message }) => warnings.push(message) },
    },
  });
  assert.deepEqual(warnings, []);
  const { imports, mentions } = scanSource(readFileSync(join(project.folder, 'bundle/page.mjs'), 'utf8'));
  assert.deepEqual(imports, []);
  const ofNode = ['process', 'Buffer', 'global', '__dirname', 'require'];
  assert.deepEqual(
    mentions.filter(({ name }) => ofNode.includes(name)),
    [],
  );
  // The bundle is whole: it runs.
  const program = `import { checkMrc, planParts } from './bundle/page.mjs';
    console.log(checkMrc({ header: new Uint8Array(1024), sizeBytes: 1024 }).verdict, typeof planParts);`;
  writeFileSync(join(project.folder, 'uses-bundle.mjs'), program);
  assert.equal(await project.run('uses-bundle.mjs'), 'rejected function\n');
});
