/** Links with a token, which another person may have sent. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually, listFiles } from '../../contract/upload.ts';
import {
  drop,
  PageUnderTest,
  SLOW,
  signIn,
  signOut,
  throttle,
  uploadRow,
  waitForParts,
  writeLongMrc,
  writeMrc,
} from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

/** A subject with a name that the test can find on the page. */
function newPerson(name: string) {
  const sub = `${name}-${randomUUID()}`;
  return { sub, ...under.newOwner({ sub }) };
}

/** Opens the link in the tab. */
async function follow(page: Page, token: string): Promise<void> {
  await page.goto(`${under.server.url}/#token=${token}`);
}

function question(page: Page) {
  return page.getByRole('dialog', { name: /^Sign in as / });
}

async function waitForSubject(page: Page, sub: string): Promise<void> {
  await page.locator('.subject', { hasText: sub }).waitFor();
}

test('link of another subject: the page asks, and until a yes all files go to the current subject', async () => {
  const [victim, attacker] = [newPerson('victim'), newPerson('attacker')];
  const page = await under.open(victim);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'running.mrc')]);
  await waitForParts(uploadRow(page, 'running.mrc'), 1);
  await follow(page, attacker.token);
  await question(page).getByText(`Files that you upload afterwards belong to ${attacker.sub}`).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token is out of the address');
  await throttle(page);
  await drop(page, [writeMrc(under.folder, 'during.mrc', 1)]);
  await uploadRow(page, 'during.mrc', 'done').waitFor();
  await question(page).getByRole('button', { name: 'Stay signed in' }).click();
  await question(page).waitFor({ state: 'detached' });
  await waitForSubject(page, victim.sub);
  await drop(page, [writeMrc(under.folder, 'after.mrc', 1)]);
  for (const name of ['after.mrc', 'running.mrc']) await uploadRow(page, name, 'done').waitFor();
  assert.equal((await listFiles(victim.call)).length, 3);
  assert.deepEqual(await listFiles(attacker.call), []);
  await page.reload();
  await waitForSubject(page, victim.sub);
});

test('link of another subject: its token is used after a yes', async () => {
  const [one, other] = [newPerson('one'), newPerson('other')];
  const page = await under.open(one);
  await follow(page, other.token);
  await question(page).getByRole('button', { name: 'Sign in as' }).click();
  await waitForSubject(page, other.sub);
  await drop(page, [writeMrc(under.folder, 'mine.mrc', 1)]);
  await uploadRow(page, 'mine.mrc', 'done').waitFor();
  assert.equal((await listFiles(other.call)).length, 1);
  assert.deepEqual(await listFiles(one.call), []);
});

test('link of another subject: the page asks also when the link loads the page', async () => {
  const [one, other] = [newPerson('one'), newPerson('other')];
  const page = await under.open(one);
  await page.goto(`${under.server.url}/?token=${other.token}`);
  await question(page).getByRole('button', { name: 'Stay signed in' }).click();
  await waitForSubject(page, one.sub);
});

test('page sign in links: upload link of the same owner: the page asks, because a link is another subject', async () => {
  const owner = newPerson('owner');
  const { token } = (await owner.call('POST', '/links', { json: {} })).json<{ token: string }>();
  const page = await under.open(owner);
  await follow(page, token);
  await question(page)
    .getByRole('button', { name: `Sign in as upload link of ${owner.sub}` })
    .click();
  await waitForSubject(page, `upload link of ${owner.sub}`);
});

test('link of another subject: the page asks in a new tab while another tab is signed in', async () => {
  const [one, other] = [newPerson('one'), newPerson('other')];
  const page = await under.open(one);
  const tab = await page.context().newPage();
  await follow(tab, other.token);
  await question(tab).getByText('signed in in another tab').waitFor();
  await question(tab).getByRole('button', { name: 'Do not sign in' }).click();
  await tab.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await page.close();
  await eventually(
    () => tab.evaluate(async () => (await navigator.locks.query()).held ?? []),
    (held) => !held.some(({ name }) => name?.startsWith('cryolift-signed-in')),
  );
  await follow(tab, other.token);
  await waitForSubject(tab, other.sub);
});

test('link: the page asks while files wait that were added before a sign-in', async () => {
  const attacker = newPerson('attacker');
  const page = await under.openProfile();
  await page.goto(under.server.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await drop(page, [writeMrc(under.folder, 'early.mrc', 1)]);
  await page.getByText('1 file will be uploaded after you sign in').waitFor();
  await follow(page, attacker.token);
  await question(page).getByRole('button', { name: 'Do not sign in' }).click();
  await question(page).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('navigation').count(), 0);
  assert.deepEqual(await listFiles(attacker.call), []);
});

test('link: the page asks while uploads of a signed-out subject wait', async () => {
  const [one, other] = [newPerson('one'), newPerson('other')];
  const page = await under.open(one);
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'waits.mrc')]);
  await waitForParts(uploadRow(page, 'waits.mrc'), 1);
  await signOut(page);
  await follow(page, other.token);
  await question(page).getByText('Files are waiting in this tab').waitFor();
  await question(page).getByRole('button', { name: 'Do not sign in' }).click();
  await follow(page, other.token);
  await question(page).getByRole('button', { name: 'Sign in as' }).click();
  await waitForSubject(page, other.sub);
  assert.equal(await page.locator('li.upload').count(), 0);
});

test('link of the same subject: a new token is used without a question', async () => {
  const person = newPerson('one');
  const page = await under.open(person);
  const renewed = under.server.token({ sub: person.sub, ttlSeconds: 7200 });
  await follow(page, renewed);
  await page.waitForFunction((token) => Object.values(sessionStorage).includes(token), renewed);
  assert.equal(await question(page).count(), 0);
  await waitForSubject(page, person.sub);
});

test('link with a refused token: the current subject stays signed in, and sees the reason', async () => {
  const person = newPerson('one');
  const page = await under.open(person);
  await follow(page, under.server.token({ sub: 'late', ttlSeconds: -60 }));
  await page.getByText('The token in the opened link is not accepted').waitFor();
  await waitForSubject(page, person.sub);
});

test('address: a fragment that is not percent-encoded correctly still shows the view', async () => {
  const page = await under.open(under.newOwner());
  for (const hash of ['#files/%', '#files/%E0%A4%A', '#%/%']) {
    await page.goto(`${under.server.url}/${hash}`);
    await page.reload();
    await page.getByRole('navigation').waitFor();
    await page.goto(`${under.server.url}/#upload`);
    await page.getByText('Drop micrographs').waitFor();
    await page.goto(`${under.server.url}/${hash}`);
    await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
  }
});

test('token: an expiry outside the range of dates is not shown, and the page works', async () => {
  const page = await under.open({ token: under.server.token({ sub: 'eternal', ttlSeconds: 9e12 }) });
  await waitForSubject(page, 'eternal');
  await page.getByText('Drop micrographs').waitFor();
});

test('view: a view that cannot be rendered reports it, and the other views work', async () => {
  const page = await under.open(under.newOwner());
  await page.route('**/files?*', async (route) => {
    const digest = '0'.repeat(64);
    const known = { file_id: 'x', owner: 'ada', filename: 'x.mrc', size: 1, sha256: digest, parts_sha256: digest };
    const record = { ...known, metadata: {}, warnings: [], created_at: 'no time' };
    await route.fulfill({ json: { items: [record], next_cursor: null, total: 1, total_is_more: false } });
  });
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByRole('alert').getByText('This view cannot be shown').waitFor();
  await page.getByRole('link', { name: 'Upload' }).click();
  await page.getByText('Drop micrographs').waitFor();
  under.faults.splice(0);
});

test('sign-out: a link that was opened before signs nobody in afterwards', async () => {
  const [one, other] = [newPerson('one'), newPerson('other')];
  const page = await under.open(one);
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await page.route('**/whoami', async (route) => {
    asked.resolve();
    await released.promise;
    await route.fallback();
  });
  await follow(page, other.token);
  await asked.promise;
  await signOut(page);
  const answered = page.waitForResponse('**/whoami');
  released.resolve();
  await answered;
  // The next sign-in does not wait for the answer to it.
  await signIn(page, one.token);
  await waitForSubject(page, one.sub);
  assert.equal(await question(page).count(), 0);
});
