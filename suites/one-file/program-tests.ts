/** What a one-file program does on each system. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import type { Ended, Machine, Running } from './machine.ts';

const SERVER_COMMANDS = /^ {2}(serve|admin|audit|migrate)\b/m;

const isThere = (found: FileRecord | undefined) => found !== undefined;

export function testProgram(name: string, machine: Machine): void {
  let server: OwnServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.discard());

  const begin = (...args: string[]): Running =>
    machine.begin(args, { CRYOLIFT_SERVER: server.url, CRYOLIFT_TOKEN: server.token() });
  const run = async (...args: string[]): Promise<Ended> => await begin(...args).ended;

  function make(file: string, sizeBytes: number): Buffer {
    const bytes = makeMrc(sizeBytes);
    writeFileSync(join(machine.folder, file), bytes);
    return bytes;
  }

  async function get<Body>(path: string): Promise<Body> {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token()}` } });
    return (await answer.json()) as Body;
  }

  const lastLine = ({ stdout }: Ended) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  const findFile = async (file: string) =>
    (await get<{ items: FileRecord[] }>('/files')).items.find(({ filename }) => filename === file);

  test(`${name}: it has the commands of the client and not those of the server`, async () => {
    const { code, stdout } = await run('--help');
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}upload /m);
    assert.doesNotMatch(stdout, SERVER_COMMANDS);
    assert.equal((await run('serve')).code, 2);
  });

  test(`${name}: an upload that is killed is resumed; the file is downloaded and verified`, async (t) => {
    const bytes = make('killed.mrc', 12 * MIB);
    const path = machine.path('killed.mrc');
    const first = begin('upload', '--json', '--part-size', '256KiB', '--bwlimit', '2MiB', path);
    t.after(() => first.child.kill('SIGKILL'));
    const findUpload = async () =>
      (await get<{ items: UploadRecord[] }>('/uploads')).items.find(({ filename }) => filename === 'killed.mrc');
    const received = await eventually(findUpload, (upload) => (upload?.received_parts ?? 0) > 2);
    first.child.kill('SIGKILL');
    await first.ended;
    assert.equal(await findFile('killed.mrc'), undefined, 'it was killed before its end');

    const second = await run('upload', '--json', path);
    assert.equal(second.code, 0, second.stdout + second.stderr);
    const done = lastLine(second);
    assert.equal(done.sha256, sha256Hex(bytes));
    assert.ok(received && done.resumed_bytes >= received.received_bytes, `${done.resumed_bytes} bytes were resumed`);

    const back = await run('download', done.file_id, '-o', machine.path('back.mrc'));
    assert.equal(back.code, 0, back.stderr);
    assert.ok(readFileSync(join(machine.folder, 'back.mrc')).equals(bytes));
    assert.equal((await run('verify', path, done.file_id)).code, 0);
    make('other.mrc', 12 * MIB);
    assert.equal((await run('verify', machine.path('other.mrc'), done.file_id)).code, 1);
  });

  test(`${name}: watch waits for a growing file, uploads it and moves it`, async (t) => {
    mkdirSync(join(machine.folder, 'session'));
    const whole = makeMrc(3 * MIB);
    const grows = join(machine.folder, 'session', 'grows.mrc');
    writeFileSync(grows, whole.subarray(0, MIB));
    const watching = begin(
      'watch',
      '--json',
      '--settle',
      '3s',
      '--move-to',
      machine.path('moved'),
      machine.path('session'),
    );
    t.after(() => watching.child.kill('SIGKILL'));
    for (const at of [1, 2]) {
      await sleep(1000);
      assert.equal(await findFile('grows.mrc'), undefined, 'it still grows');
      appendFileSync(grows, whole.subarray(at * MIB, (at + 1) * MIB));
    }
    const file = await eventually(() => findFile('grows.mrc'), isThere);
    assert.equal(file?.sha256, sha256Hex(whole));
    const listLeft = async () => readdirSync(join(machine.folder, 'session'));
    await eventually(listLeft, (names) => names.length === 0);
    assert.ok(readFileSync(join(machine.folder, 'moved', 'grows.mrc')).equals(whole));
    watching.child.kill('SIGINT');
    const { code } = await watching.ended;
    assert.equal(code, 130);
  });

  test(`${name}: watch --config uploads two folders; status and log show it, and that it was killed`, async (t) => {
    const folders = ['first', 'second'];
    for (const folder of folders) mkdirSync(join(machine.folder, folder));
    writeFileSync(join(machine.folder, 'token'), `${server.token()}\r\n`);
    const tables = folders.map((folder) => `[[watch]]\r\nfolder = '${machine.path(folder)}'\r\nsettle = "1s"\r\n`);
    const head = `\ufeffserver = "${server.url}"\r\ntoken_file = '${machine.path('token')}'\r\n`;
    writeFileSync(join(machine.folder, 'cryolift.toml'), head + tables.join(''));
    const config = machine.path('cryolift.toml');
    const own = (...args: string[]) => machine.begin([...args, '--config', config], {});
    const checked = await machine.begin(['config', 'check', config], {}).ended;
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);

    const watching = own('watch');
    t.after(() => watching.child.kill('SIGKILL'));
    for (const folder of folders) make(join(folder, `${folder}.mrc`), MIB);
    await eventually(() => findFile('first.mrc'), isThere);
    await eventually(() => findFile('second.mrc'), isThere);
    const status = await eventually(
      () => own('watch', 'status', '--json').ended,
      (ended) => {
        const { running, folders: all } = lastLine(ended);
        return running && all.length === 2 && all.every(({ done }: { done: number }) => done === 1);
      },
    );
    assert.equal(status.code, 0);
    assert.match((await own('watch', 'logs').ended).stdout, /\] second\.mrc /);
    watching.child.kill('SIGKILL');
    await watching.ended;
    await eventually(
      () => own('watch', 'status').ended,
      ({ code }) => code === 1,
    );
    const printed = await own('watch', 'install', '--print').ended;
    assert.equal(printed.code, 0, printed.stderr);
    // The program starts itself, without Node.
    assert.match(printed.stdout, /dist[\\/]cryolift-[\w-]+(\.exe)?"?( |<\/Command>)/);
    assert.doesNotMatch(printed.stdout, /cryolift\.js/);
  });

  test(`${name}: inspect and doctor`, async () => {
    make('inspected.mrc', 2 * MIB);
    const inspected = await run('inspect', '--json', machine.path('inspected.mrc'));
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.deepEqual([lastLine(inspected).verdict, lastLine(inspected).mrc.nz], ['accepted', 1]);
    const doctor = await run('doctor');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });
}
