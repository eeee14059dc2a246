/** Tokens on the page: their sources, their storage, their expiry. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { makeMrc } from '../../contract/sample.ts';
import { eventually, listFiles, publish } from '../../contract/upload.ts';
import {
  drop,
  PageUnderTest,
  SLOW,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
  writeMrc,
} from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

test('link: the token is removed from the address and the history at once, and is kept in this tab only', async () => {
  const owner = under.newOwner();
  for (const place of ['#', '?']) {
    const page = await under.openProfile();
    await page.goto(`${under.server.url}/${place}token=${owner.token}`);
    await page.getByRole('navigation').waitFor();
    const found = await page.evaluate(async () => ({
      address: location.href,
      local: { ...localStorage },
      session: Object.values(sessionStorage),
      cookies: document.cookie,
      databases: (await indexedDB.databases()).map(({ name }) => name),
    }));
    const { databases, ...rest } = found;
    assert.deepEqual(rest, { address: `${under.server.url}/`, local: {}, session: [owner.token], cookies: '' });
    assert.ok(databases.every((name) => name === 'cryolift'));
    await page.reload();
    await page.getByRole('navigation').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  }
});

test('paste: a token or a link with a token signs in, and a wrong token is refused with the reason', async () => {
  const owner = under.newOwner();
  const page = await under.openProfile();
  await page.goto(under.server.url);
  const field = page.getByLabel('Token, or the whole link');
  for (const wrong of ['nonsense', 'a b', under.newOwner({ ttlSeconds: -60 }).token]) {
    await field.fill(wrong);
    await page.keyboard.press('Enter');
    await eventually(
      async () => await page.locator('.refusal').innerText(),
      (text) => text !== '',
    );
    assert.equal(await page.getByRole('navigation').count(), 0);
  }
  await field.fill(`open ${under.server.url}/#token=${owner.token}`);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
});

test('expiry: an upload waits for a new token, and continues with it', async () => {
  const owner = under.newOwner({ ttlSeconds: 15 });
  const page = await under.open(owner);
  const path = writeLongMrc(under.folder, 'long.mrc');
  await throttle(page, SLOW);
  await drop(page, [path]);
  const row = uploadRow(page, 'long.mrc');
  await waitForParts(row, 1);
  await page.getByText('Your token expires in 1 minute').waitFor();
  await page.getByRole('heading', { name: 'Your token has expired' }).waitFor();
  await row.getByText('Waiting for a token').waitFor();
  const subject = JSON.parse(Buffer.from(owner.token.split('.')[1] as string, 'base64url').toString()).sub as string;
  await throttle(page);
  await page.getByLabel('Token, or the whole link').fill(under.server.token({ sub: subject }));
  await page.keyboard.press('Enter');
  await uploadRow(page, 'long.mrc', 'done').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Your token has expired' }).count(), 0);
});

test('expiry while GET /whoami fails: uploads wait, and none fails', async () => {
  const sub = `owner-${randomUUID()}`;
  const owner = under.newOwner({ sub, ttlSeconds: 15 });
  const page = await under.open(owner);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'patient.mrc')]);
  const row = uploadRow(page, 'patient.mrc');
  await waitForParts(row, 1);
  let answers = 0;
  await page.route('**/whoami', async (route) => {
    answers++;
    if (answers > 4) return await route.fallback();
    await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' });
  });
  await page.getByRole('heading', { name: 'Your token has expired' }).waitFor();
  await row.getByText('Waiting for a token').waitFor();
  assert.ok(answers > 4);
  await throttle(page);
  await page.getByLabel('Token, or the whole link').fill(under.server.token({ sub }));
  await page.keyboard.press('Enter');
  await uploadRow(page, 'patient.mrc', 'done').waitFor();
});

test('sign-out: the next subject sees no files of the one before', async () => {
  const [one, other] = [under.newOwner(), under.newOwner()];
  await publish(one.call, makeMrc(5_000), { filename: 'secret.mrc' });
  const page = await under.open(one);
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByRole('link', { name: /secret\.mrc/ }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token, or the whole link').fill(other.token);
  await page.keyboard.press('Enter');
  await page.getByText('No files yet').waitFor();
  assert.equal(await page.getByText('secret.mrc').count(), 0);
});

test('sign-in: files that were dropped before are uploaded afterwards', async () => {
  const owner = under.newOwner();
  const page = await under.openProfile();
  await page.goto(under.server.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await drop(page, [writeMrc(under.folder, 'early.mrc', 1)]);
  await page.getByLabel('Token, or the whole link').fill(owner.token);
  await page.keyboard.press('Enter');
  await uploadRow(page, 'early.mrc', 'done').waitFor();
  assert.equal((await listFiles(owner.call)).length, 1);
});
