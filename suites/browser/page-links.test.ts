/** The page with an upload link in the place of a token: files go up, and nothing else is there to see. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { listFiles, publish } from '../contract/upload.ts';
import { drop, PageUnderTest, uploadRow, writeMrc } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('whoever has the link uploads with the page, and sees nothing of what its owner has', async () => {
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
  await page.getByText('more than this link allows').waitFor();
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByText('An upload link is for uploads alone').waitFor();
  assert.equal(await page.getByText('secret.mrc').count(), 0);
});
