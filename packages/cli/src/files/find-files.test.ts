import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Api } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { UsageError } from '../process/exit.ts';
import { findFiles, type Selection } from './find-files.ts';

const FILES = [
  'top.mrc',
  'notes.log',
  '.hidden.mrc',
  'grid1/a.mrc',
  'grid1/deep/b.MRC',
  'grid1/deep/c.tif',
  'grid2/a.mrc',
  'Atlas/x/d.mrc',
  '.snapshot/a.mrc',
];
const api: Pick<Api, 'limits'> = {
  limits: async () => ({ mrc_types: ['mrc'], accepted_types: ['tif'] }) as unknown as Limits,
};
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'cryolift-find-'));
  for (const file of FILES) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), file);
  }
  await symlink('../grid1', join(root, 'grid2/circle'));
  await symlink('../top.mrc', join(root, 'grid2/link.mrc'));
  await symlink('nowhere', join(root, 'grid2/dangling.mrc'));
});

after(() => rm(root, { recursive: true }));

async function find(selection: Selection, paths = [root]): Promise<(string | undefined)[]> {
  return (await findFiles(paths, selection, api)).files.map(({ inFolder }) => inFolder?.path);
}

test('find files: without -r only the files directly in a folder are found', async () => {
  assert.deepEqual(await find({}), ['top.mrc']);
});

test('find files: -r skips hidden files, other types and links to folders', async () => {
  const { files, leftOut, failed } = await findFiles([root], { recursive: true }, api);
  assert.deepEqual(
    files.map(({ inFolder, sizeBytes }) => [inFolder?.path, sizeBytes]),
    [
      ['Atlas/x/d.mrc', 13],
      ['grid1/a.mrc', 11],
      ['grid1/deep/b.MRC', 16],
      ['grid1/deep/c.tif', 16],
      ['grid2/a.mrc', 11],
      ['grid2/link.mrc', 7],
      ['top.mrc', 7],
    ],
  );
  assert.deepEqual(leftOut, [
    { path: join(root, 'grid2/circle'), reason: 'folder_link' },
    { path: join(root, 'notes.log'), reason: 'type' },
  ]);
  assert.deepEqual(
    failed.map(({ path, error }) => [path, (error as Error).message]),
    [[join(root, 'grid2/dangling.mrc'), 'The file cannot be read: no such file or folder.']],
  );
});

test('find files: globs match names or paths; excluded folders are not read', async () => {
  const recursive = true;
  assert.deepEqual(await find({ recursive, include: ['a.*'] }), ['grid1/a.mrc', 'grid2/a.mrc']);
  assert.deepEqual(await find({ recursive, include: ['grid1/**/*.tif', 'top.*'] }), ['grid1/deep/c.tif', 'top.mrc']);
  const exclude = ['Atlas', 'grid2/*', '*.tif'];
  assert.deepEqual(await find({ recursive, exclude }), ['grid1/a.mrc', 'grid1/deep/b.MRC', 'top.mrc']);
  assert.deepEqual(await find({ recursive, include: ['*.mrc'], exclude: ['grid*', 'Atlas/**'] }), ['top.mrc']);
  await assert.rejects(find({ recursive, include: ['*.st'] }), UsageError);
});

test('find files: a path given twice is used once; a file path is accepted with any type', async () => {
  const paths = [join(root, 'grid1'), `${root}/grid1/`, join(root, 'grid1/a.mrc'), join(root, 'notes.log')];
  assert.deepEqual(await find({}, paths), ['a.mrc', undefined]);
});

test('find files: the error for an empty selection gives the reason', async () => {
  const folder = join(root, 'Atlas/only-logs');
  await mkdir(folder, { recursive: true });
  const nothing = { name: 'Error', message: /nothing to upload: no file matches; -r includes subfolders/ };
  await assert.rejects(find({}, [folder]), nothing);
  await writeFile(join(folder, 'a.log'), '');
  await writeFile(join(folder, 'plain'), '');
  await assert.rejects(find({}, [folder]), /does not accept the types of the files there \(log none\)/);
  await rm(folder, { recursive: true });
});

test('find files: of a server that accepts any type, no file is left out', async () => {
  const any = { limits: async () => ({ mrc_types: ['mrc'], accepted_types: ['*'] }) as unknown as Limits };
  const { leftOut } = await findFiles([root], { recursive: true }, any);
  assert.deepEqual(
    leftOut.filter(({ reason }) => reason === 'type'),
    [],
  );
});
