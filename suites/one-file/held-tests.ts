/** Files that another program for Windows holds. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilePage } from '@cryolift/protocol/messages';
import { parseLines } from '../../packages/cli/src/testing/test-process.ts';
import { makeMrc } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import type { Running } from './machine.ts';
import type { WineMachine } from './wine-machine.ts';

/** A command begins within this time, and calls are repeated for longer. */
const HELD_MS = 6_000;

export function testHeldFiles(machine: WineMachine): void {
  let server: OwnServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.discard());

  function begin(...args: string[]): Running {
    const settings = { CRYOLIFT_SERVER: server.url, CRYOLIFT_TOKEN: server.token() };
    return machine.begin(args, { ...settings, XDG_STATE_HOME: machine.path('state') });
  }

  function make(name: string): Buffer {
    const bytes = makeMrc(100_000);
    writeFileSync(join(machine.folder, name), bytes);
    return bytes;
  }

  async function untilUploaded(name: string): Promise<void> {
    const ask = async () => {
      const answer = await fetch(`${server.url}/files`, { headers: { authorization: `Bearer ${server.token()}` } });
      return ((await answer.json()) as FilePage).items.map(({ filename }) => filename);
    };
    await eventually(ask, (names) => names.includes(name));
  }

  test('one file, Windows: watch waits for a file that a camera holds, and it does not count as failed', async () => {
    mkdirSync(join(machine.folder, 'camera'));
    make('camera/held.mrc');
    make('camera/next.mrc');
    const release = await machine.hold('nothing', 'camera/held.mrc');
    const watching = begin('watch', '--json', '--once', '--settle', '1s', machine.path('camera'));
    await untilUploaded('next.mrc');
    await release();
    const { code, stdout } = await watching.ended;
    assert.equal(code, 0, stdout);
    const events = parseLines(stdout).filter(({ event }) => ['held', 'error', 'done'].includes(String(event)));
    assert.deepEqual(
      events.map(({ event, path, filename }) => [event, filename ?? path]),
      [
        ['held', 'held.mrc'],
        ['done', 'next.mrc'],
        ['done', 'held.mrc'],
      ],
    );
  });

  test('one file, Windows: watch moves a file as soon as a virus scanner closes it', async () => {
    mkdirSync(join(machine.folder, 'scanned'));
    const bytes = make('scanned/scanned.mrc');
    const release = await machine.hold('reads-and-writes', 'scanned/scanned.mrc');
    const moving = ['--move-to', machine.path('scanned-done')];
    const watching = begin('watch', '--json', '--once', '--settle', '1s', ...moving, machine.path('scanned'));
    await untilUploaded('scanned.mrc');
    await sleep(HELD_MS / 2);
    assert.ok(existsSync(join(machine.folder, 'scanned/scanned.mrc')), 'it is held');
    await release();
    const { code, stdout } = await watching.ended;
    assert.equal(code, 0, stdout);
    assert.deepEqual(readdirSync(join(machine.folder, 'scanned')), [], stdout);
    assert.ok(readFileSync(join(machine.folder, 'scanned-done/scanned.mrc')).equals(bytes));
  });

  test('one file, Windows: upload waits for a held file, and else says that another program has it open', async () => {
    make('busy.mrc');
    const release = await machine.hold('nothing', 'busy.mrc');
    const refused = await begin('upload', '--json', machine.path('busy.mrc')).ended;
    assert.equal(refused.code, 1, refused.stdout);
    assert.equal(parseLines(refused.stdout).at(-1)?.code, 'source_in_use', refused.stdout);
    const waiting = begin('upload', '--json', machine.path('busy.mrc'));
    await sleep(HELD_MS / 2);
    await release();
    const { code, stdout } = await waiting.ended;
    assert.equal(code, 0, stdout);
  });

  test('one file, Windows: download replaces a file as soon as the program that has it open closes it', async () => {
    const bytes = make('shown.mrc');
    const uploaded = await begin('upload', '--json', machine.path('shown.mrc')).ended;
    const { file_id } = parseLines(uploaded.stdout).at(-1) as { file_id: string };
    make('shown.mrc');
    const release = await machine.hold('reads-and-writes', 'shown.mrc');
    const replacing = begin('download', '--json', '--force', file_id, '-o', machine.path('shown.mrc'));
    await sleep(HELD_MS);
    await release();
    const { code, stdout } = await replacing.ended;
    assert.equal(code, 0, stdout);
    assert.ok(readFileSync(join(machine.folder, 'shown.mrc')).equals(bytes));
  });

  test('one file, Windows: lock and journal of a folder may be held for seconds', async () => {
    mkdirSync(join(machine.folder, 'journal'));
    make('journal/first.mrc');
    const watch = ['watch', '--json', '--once', '--settle', '1s', machine.path('journal')];
    assert.equal((await begin(...watch).ended).code, 0);
    const state = readdirSync(join(machine.folder, 'state/cryolift/folders')).map(
      (name) => `state/cryolift/folders/${name}`,
    );
    assert.ok(state.some((name) => name.endsWith('.lock')) && state.some((name) => name.endsWith('.db')));
    const release = await machine.hold('nothing', ...state);
    const watching = begin(...watch);
    await sleep(HELD_MS);
    await release();
    const { code, stdout } = await watching.ended;
    assert.equal(code, 0, stdout);
  });

  test('one file, Windows: tokens and links are read from files as Windows writes them', async () => {
    const token = server.token();
    writeFileSync(join(machine.folder, 'token-crlf'), `${token}\r\n`);
    writeFileSync(join(machine.folder, 'token-utf-16'), Buffer.from(`\ufeff${token}\r\n`, 'utf16le'));
    for (const name of ['token-crlf', 'token-utf-16']) {
      const args = ['ls', '--json', '--token', `@${machine.path(name)}`];
      const { code, stderr } = await machine.begin(args, { CRYOLIFT_SERVER: server.url }).ended;
      assert.equal(code, 0, `${name}: ${stderr}`);
    }
    const link = await begin('link').ended;
    assert.equal(link.code, 0, link.stderr);
    writeFileSync(join(machine.folder, 'link-crlf'), `${link.stdout.trim()}\r\n`);
    make('linked.mrc');
    const args = ['upload', '--link', `@${machine.path('link-crlf')}`, machine.path('linked.mrc')];
    const { code, stderr } = await machine.begin(args, {}).ended;
    assert.equal(code, 0, stderr);
  });
}
