import { test } from 'node:test';
import { fastify } from 'fastify';
import { registerRateLimit } from './rate-limit.ts';

test('rate limit: a clock that is set back refuses no callers', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_000 });
  const app = fastify();
  t.after(() => app.close());
  app.decorateRequest('caller', null as never);
  await registerRateLimit(app, 2);
  app.get('/', async () => 'here');
  const ask = async () => (await app.inject('/')).statusCode;
  while ((await ask()) !== 429);
  t.mock.timers.setTime(1_000_000_000_000 - 3 * 3_600_000);
  while ((await ask()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
});
