import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMount, findFault, findMount } from './mount-options.ts';

/** As Linux prints it, shortened. */
const TABLE = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 22 0:45 / /mnt rw - nfs4 files:/a rw,vers=4.2,hard,proto=tcp,lookupcache=pos
41 22 0:46 / /mnt/cryo\\040em rw - nfs4 files:/b rw,vers=4.2,hard,proto=tcp
42 22 0:47 / /mnt/soft rw - nfs files:/c rw,vers=3,soft,lookupcache=none
43 22 0:48 / /gpfs rw - gpfs /dev/gpfs rw
44 43 0:49 / /gpfs rw - nfs4 files:/d rw,hard
`;

test('mount options: the mount of a folder is the innermost and the last one', () => {
  const typeAndLast = (path: string) => {
    const mount = findMount(TABLE, path);
    return [mount?.type, mount?.options.at(-1)];
  };
  assert.deepEqual(typeAndLast('/srv/x'), ['ext4', 'rw']);
  assert.deepEqual(typeAndLast('/mnt/x/y'), ['nfs4', 'lookupcache=pos']);
  assert.deepEqual(typeAndLast('/mnt/cryo em/x'), ['nfs4', 'proto=tcp']);
  assert.deepEqual(typeAndLast('/mnt/softer'), ['nfs4', 'lookupcache=pos']);
  assert.deepEqual(typeAndLast('/gpfs'), ['nfs4', 'hard']);
  assert.equal(findMount('', '/'), null);
});

test('mount options: NFS needs hard and lookupcache=positive; other file systems are not judged', () => {
  const faultOf = (path: string) => findFault(findMount(TABLE, path));
  assert.equal(faultOf('/srv'), null);
  assert.equal(faultOf('/mnt/x'), null);
  assert.match(faultOf('/mnt/cryo em') ?? '', /mount it with lookupcache=positive/);
  assert.match(faultOf('/mnt/soft') ?? '', /^soft: .* mount it with hard/);
  assert.equal(findFault(null), null);
});

test('mount options: a folder of this system is accepted', async () => await checkMount(import.meta.dirname));
