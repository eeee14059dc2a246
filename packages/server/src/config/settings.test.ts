import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bounds, parseBounded } from '@cryolift/protocol/quantity';
import { readConfig } from './config.ts';
import { SETTINGS } from './settings.ts';
import { names, read } from './test-settings.ts';

test('settings: every setting is a variable and a flag of the same name, with what it reads', () => {
  for (const { env, flag, metavar, help } of SETTINGS) {
    assert.equal(env, `CRYOLIFT_${flag.toUpperCase().replaceAll('-', '_')}`);
    assert.ok(metavar !== '' && help !== '', env);
  }
  assert.equal(new Set(SETTINGS.map(({ env }) => env)).size, SETTINGS.length);
});

test('bounds: every size, duration and number has a minimum and a maximum', () => {
  const bounded = SETTINGS.filter(({ bounds }) => bounds !== undefined);
  const measured = SETTINGS.filter(({ metavar }) => ['SIZE', 'DURATION', 'N', 'NUMBER'].includes(metavar));
  assert.deepEqual(
    bounded.map(({ env }) => env),
    measured.map(({ env }) => env),
  );
  for (const { env, bounds, help } of bounded) {
    const { kind, min, max } = bounds as Bounds;
    const others = env === 'CRYOLIFT_ON_COMPLETE_TIMEOUT' ? { CRYOLIFT_ON_COMPLETE: 'true' } : {};
    const start = (value: string) => readConfig({ ...others, [env]: value });
    const unit = { size: 'b', duration: 'ms', number: '' }[kind];
    const [least, greatest] = [min, max].map((text) => parseBounded(text, { kind, min: `0${unit}`, max }));
    for (const value of [min, max, `${least}${unit}`, `${greatest}${unit}`]) start(value);
    assert.throws(() => start(`${Number(greatest) + 1}${unit}`), names(env), `${env} above ${max}`);
    if (least !== 0) assert.throws(() => start(`${Number(least) - 1}${unit}`), names(env), `${env} below ${min}`);
    for (const value of ['-1', `-1${unit}`, 'x', '1e3', `${'9'.repeat(30)}${unit}`]) {
      assert.throws(() => start(value), names(env), `${env}=${value}`);
    }
    assert.ok(help.includes(`${min} to ${max}`), help);
  }
});

test('bounds: numbers of proxies', () => {
  for (const [text, count] of [
    ['0', 0],
    ['16', 16],
  ] as const)
    assert.equal(read('TRUST_PROXY', text).trustProxy, count);
  assert.throws(() => read('TRUST_PROXY', '17'), names('CRYOLIFT_TRUST_PROXY'));
});

test('bounds: an idle time-out is one that a timer can keep', () => {
  assert.equal(read('BODY_IDLE_TIMEOUT', '24d').bodyIdleTimeoutMs, 24 * 86_400_000);
  // Beyond 2^31-1 ms Node's timers fire at once: every part would be refused.
  assert.throws(() => read('BODY_IDLE_TIMEOUT', '25d'), names('CRYOLIFT_BODY_IDLE_TIMEOUT'));
});
