/** A proxy that is set up wrongly in one way: `doctor` finds it; and the way of nginx that does no harm any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure } from '../contract/failure.ts';
import { bring, CADDY, type Changes, type Engine, NGINX } from './engine.ts';
import { refuse } from './refusal.ts';
import { Site } from './site.ts';

const missing = new Map([NGINX, CADDY].map((engine) => [engine, bring(engine) ?? false]));
const UNBUFFERED = 'proxy_request_buffering off;';
const UNCAPPED = 'client_max_body_size    0;';
const PATIENT = 'client_body_timeout     90s;';
/** The defaults of nginx for its upstream. */
const UNKEPT: Changes = [
  ['proxy_http_version 1.1;', 'proxy_http_version 1.0;'],
  ['proxy_set_header Connection        "";', ''],
];

type Fault = readonly [engine: Engine, what: string, changes: Changes, problems: readonly string[], mend: RegExp];

const FAULTS: readonly Fault[] = [
  [NGINX, 'buffers', [[UNBUFFERED, '']], ['fail buffering'], /proxy_request_buffering off/],
  [NGINX, 'caps bodies', [[UNCAPPED, '']], ['fail body_limit'], /client_max_body_size 0/],
  [
    NGINX,
    'caps the largest parts',
    [[UNCAPPED, 'client_max_body_size 100m;']],
    ['warn body_limit'],
    /client_max_body_size 0/,
  ],
  [
    NGINX,
    'cuts long requests',
    [[PATIENT, 'client_body_timeout 600ms;']],
    ['fail long_request'],
    /client_body_timeout/,
  ],
  [
    NGINX,
    'sets its own X-Request-Id',
    [['proxy_set_header Host ', 'proxy_set_header X-Request-Id $request_id; proxy_set_header Host ']],
    ['warn bytes'],
    /X-Request-Id/,
  ],
  [NGINX, 'closes each connection to the server', UNKEPT, [], /^$/],
  [
    CADDY,
    'asks for bodies too early',
    [['expect_continue_timeout 10s', '']],
    ['warn expect'],
    /expect_continue_timeout/,
  ],
];

for (const [engine, what, changes, expected, mend] of FAULTS) {
  test(`bad proxies: a ${engine.name} that ${what}`, { skip: missing.get(engine) ?? false }, async (t) => {
    const site = await Site.start(engine, changes);
    t.after(() => site.discard());
    const isHarmless = expected.every((problem) => problem.startsWith('warn'));
    const lines = await site.begin(['doctor', '--json', '--slow', '2s'], 'examined').lines(isHarmless ? 0 : 1);
    const found = lines.filter(({ outcome, check }) => outcome !== 'ok' && check !== 'certificate');
    assert.deepEqual(
      found.map(({ outcome, check }) => `${outcome} ${check}`),
      expected,
    );
    assert.match(found.map((finding) => finding.mend).join(), mend);
  });
}

test('bad proxies: a nginx that closes each connection to the server: refusals come through all the same', {
  skip: missing.get(NGINX) ?? false,
}, async (t) => {
  const site = await Site.start(NGINX, UNKEPT);
  t.after(() => site.discard());
  for (let time = 0; time < 10; time++) {
    assertFailure(await refuse(site.url, '/uploads/none/part/0', {}, true), 'unauthenticated');
  }
});
