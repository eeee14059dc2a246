import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printKey, readKey, signEvent } from './signature.ts';

test('signature: equals that of the Standard Webhooks libraries', () => {
  const key = readKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  assert.deepEqual(signEvent(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}'), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('signature: a secret is base64 after whsec_, base64 of sufficient length, or plain text', () => {
  const bytes = Buffer.from('sixteen bytes ok');
  const base64 = bytes.toString('base64');
  for (const secret of [`whsec_${base64}`, base64, base64.replace(/=+$/, ''), printKey(bytes)]) {
    assert.deepEqual(readKey(secret), bytes, secret);
  }
  assert.deepEqual(readKey('whsec_c2hvcnQ='), Buffer.from('short'));
  for (const text of ['c2hvcnQ=', 'with spaces, long enough to be base64', 'whsec_not base64']) {
    assert.deepEqual(readKey(text), Buffer.from(text));
  }
});
