/** Accessibility of what the page shows about signing in, on a narrow screen. */
import { after, test } from 'node:test';
import { assertAccessible } from '../accessible.ts';
import { drop, uploadRow, writeMrc } from '../page-under-test.ts';
import {
  cancelAtProvider,
  enterName,
  openWindow,
  revokeGrant,
  SignInUnderTest,
  signInButton,
} from './sign-in-under-test.ts';

const here = await SignInUnderTest.start(4);
after(() => here.discard());
const { provider, under } = here;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`accessibility: axe finds nothing serious about signing in, in the ${colorScheme} theme`, async () => {
    const options = { colorScheme, reducedMotion: 'reduce', viewport: { width: 360, height: 740 } } as const;
    const page = await under.openProfile({ options });
    const check = (state: string) => assertAccessible(page, state);
    await page.goto(under.server.url);
    await signInButton(page).waitFor();
    await check('signing in');
    await page.getByText('Paste a token', { exact: true }).click();
    await check('pasting');
    await page.getByText('Paste a token', { exact: true }).click();
    await signInButton(page).click();
    await enterName(page, 'ada');
    await cancelAtProvider(page);
    await page.getByRole('alert').getByText('cancelled').waitFor();
    await check('cancelled');
    await drop(page, [writeMrc(under.folder, `${colorScheme}.mrc`, 1)]);
    await page.getByText('1 file will be uploaded').waitFor();
    await check('a file waits');
    const window = await openWindow(page, () => signInButton(page).click());
    await window.getByRole('button', { name: 'Continue' }).click();
    await uploadRow(page, `${colorScheme}.mrc`, 'done').waitFor();
    await check('signed in');
    await provider.disconnect();
    await page.getByText(/does not answer/).waitFor();
    await check('provider away');
    await page.getByText(/Uploads wait/).waitFor();
    await check('provider away and token ended');
    await provider.reconnect();
    await page.getByText(/does not answer/).waitFor({ state: 'detached' });
    await revokeGrant(here, page);
    await page.getByText(/Your sign-in ends in/).waitFor();
    await check('ends soon');
    await page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
    await check('ended');
  });
}
