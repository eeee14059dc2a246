import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../process/exit.ts';
import { findProxy } from './proxy.ts';

function find(server: string, env: Record<string, string>): string | null {
  return findProxy(new URL(server), env)?.url.href ?? null;
}

/** The behaviour of curl 7.88 for each. */
const VARIABLES: readonly (readonly [server: string, env: Record<string, string>, variable: string | null])[] = [
  ['http://a.example', {}, null],
  ['http://a.example', { http_proxy: 'p:1' }, 'http_proxy'],
  ['http://a.example', { HTTP_PROXY: 'p:1' }, null],
  ['http://a.example', { https_proxy: 'p:1' }, null],
  ['http://a.example', { all_proxy: 'p:1' }, 'all_proxy'],
  ['http://a.example', { ALL_PROXY: 'p:1' }, 'ALL_PROXY'],
  ['http://a.example', { http_proxy: '', all_proxy: 'p:1' }, 'all_proxy'],
  ['http://127.0.0.1:8080', { http_proxy: 'p:1' }, 'http_proxy'],
  ['http://localhost:8080', { http_proxy: 'p:1' }, 'http_proxy'],
  ['https://a.example', { http_proxy: 'p:1' }, null],
  ['https://a.example', { HTTPS_PROXY: 'p:1' }, 'HTTPS_PROXY'],
  ['https://a.example', { https_proxy: 'p:1', HTTPS_PROXY: 'p:2' }, 'https_proxy'],
];
test('proxy: the variables and their order are those of curl', () => {
  for (const [server, env, variable] of VARIABLES) {
    assert.equal(findProxy(new URL(server), env)?.variable ?? null, variable, `${server} ${JSON.stringify(env)}`);
  }
});

/** The behaviour of curl 7.88 for each. */
const EXEMPTIONS: readonly (readonly [host: string, noProxy: string, exempt: boolean])[] = [
  ['a.example.com', 'example.com', true],
  ['a.example.com', '.example.com', true],
  ['example.com', '.example.com', true],
  ['a.example.com', '*.example.com', false],
  ['a.example.com', 'ample.com', false],
  ['a.example.com', 'other.org, EXAMPLE.com', true],
  ['a.example.com', 'other.org example.com', true],
  ['a.example.com', 'example.com.', true],
  ['a.example.com', '*', true],
  ['a.example.com', '*, other.org', false],
  ['a.example.com', 'a.example.com:80', false],
  ['127.0.0.1', 'localhost', false],
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '127.0.0.0/8', true],
  ['127.0.0.1', '10.0.0.0/8', false],
  ['10.1.2.3', '10.1.2', false],
  ['[::1]', '::1', true],
  ['[fd00::5]', '::1', false],
  // The manual of curl documents this; curl 7.88 behaves differently.
  ['[fd00::5]', 'fd00::/8', true],
];
test('proxy: no_proxy follows the rules of curl', () => {
  for (const [host, noProxy, exempt] of EXEMPTIONS) {
    const found = find(`http://${host}:8080`, { http_proxy: 'p:1', no_proxy: noProxy });
    assert.equal(found === null, exempt, `${host} and ${noProxy}`);
  }
  assert.equal(find('https://a.example', { https_proxy: 'p:1', NO_PROXY: 'a.example' }), null);
});

test('proxy: scheme and port may be left out, as for curl', () => {
  const proxies: readonly (readonly [given: string, url: string])[] = [
    ['p', 'http://p:1080/'],
    ['p:3128', 'http://p:3128/'],
    ['p:80', 'http://p/'],
    ['http://p:80/', 'http://p/'],
    ['HTTP://p:3128', 'http://p:3128/'],
    ['https://p', 'https://p/'],
    ['ada:pass%40word@p:3128', 'http://ada:pass%40word@p:3128/'],
    ['[::1]:3128', 'http://[::1]:3128/'],
  ];
  for (const [given, url] of proxies) assert.equal(find('http://a.example', { http_proxy: given }), url, given);
});

test('proxy: an invalid value is reported by its variable, without the value, which may contain a password', () => {
  for (const given of ['socks5://p:1080', 'http://', 'ada:secret@', 'http://p:port', '://p']) {
    assert.throws(
      () => find('http://a.example', { http_proxy: given }),
      (error) => error instanceof UsageError && /^http_proxy is /.test(error.message) && !/secret/.test(error.message),
      given,
    );
  }
});
