/** A computer whose clock is wrong by more than a year signs in and renews its tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFaketime, whyNoMovedClock } from '../time/moved-clock.ts';
import { startAll } from './home.ts';

for (const days of [-400, 400]) {
  test(`clock: wrong by ${days} days`, { skip: whyNoMovedClock ?? false, timeout: 120_000 }, async (context) => {
    const { home, provider } = await startAll(context, { lives: { access: 2 } });
    const wrong = {
      LD_PRELOAD: findFaketime(),
      FAKETIME: `${days < 0 ? '' : '+'}${days}d`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    await home.login('ada', [], wrong);
    assert.equal((await home.run(['ls'], wrong)).code, 0);
    await sleep(2_000);
    assert.equal((await home.run(['ls'], wrong)).code, 0);
    assert.ok((provider.counts.granted.refresh_token ?? 0) >= 1);
    // The clock is set right: what was stored seems to be of another time.
    const right = await home.run(['ls']);
    assert.equal(right.code, 0, right.stderr);
  });
}
