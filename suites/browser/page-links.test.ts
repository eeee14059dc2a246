/** The page with an upload link instead of a token: it can upload, and shows nothing of the owner. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { listFiles, publish } from '../contract/upload.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('upload link: the page uploads files, and shows no files of the owner', async () => {
  const owner = under.newOwner();
  await publish(owner.call, makeMrc(5_000), { filename: 'secret.mrc' });
  const { token } = (await owner.call('POST', '/links', { json: { max_files: 1 } })).json<{ token: string }>();
  const page = await under.open({ token });
  await drop(page, [writeMrc(under.folder, 'by-link.mrc', 2)]);
  await uploadRow(page, 'by-link.mrc', 'done').waitFor();
  assert.deepEqual(
    (await listFiles(owner.call)).map(({ filename }) => filename),
    ['by-link.mrc', 'secret.mrc'],
  );
  await drop(page, [writeMrc(under.folder, 'too-many.mrc', 1)]);
  await uploadRow(page, 'too-many.mrc', 'refused').getByText('has no room for this file').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Files' }).count(), 0);
  assert.equal(await page.getByText('secret.mrc').count(), 0);
});
