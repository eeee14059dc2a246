/** The programs of docs/guides/receipts.md, run as they stand there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFile, printDocument, Signer } from '../../packages/protocol/src/receipt/test-receipt.ts';
import { bringTusPython } from '../protocols/clients/python.ts';
import { programIn } from '../protocols/guides.ts';

const environment = bringTusPython();
const needs =
  'missing' in environment
    ? environment.missing
    : spawnSync('openssl', ['version']).error !== undefined && 'needs openssl';
const python = 'bin' in environment ? join(environment.bin, 'python') : '';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-receipt-guide-'));
after(() => rmSync(folder, { recursive: true }));

const program = programIn('receipts.md', 'python', 0, {});
const command = programIn('receipts.md', 'sh', 4, {});
assert.match(command, /^openssl /);

function verify(document: Buffer): boolean {
  writeFileSync(join(folder, 'receipt.json'), document);
  const ran = spawnSync(python, ['-c', program], { cwd: folder, encoding: 'utf8' });
  if (ran.status !== 0) return false;
  return spawnSync('sh', ['-c', command], { cwd: folder }).status === 0;
}

test('guide of receipts: openssl and Python verify a receipt, and a flipped byte fails', { skip: needs }, async () => {
  const signer = new Signer();
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [await signer.key()] }));
  const files = [makeFile('a\tb\u007f "\\"/ü.mrc', 2 ** 53 - 3), makeFile('𝄞/ä.mrc', 2)];
  const document = Buffer.from(printDocument(await signer.issue(files)));
  assert.ok(verify(document));
  for (let at = 0; at < document.length; at += 37) {
    const damaged = Buffer.from(document);
    damaged[at] = (damaged[at] as number) ^ 1;
    assert.ok(!verify(damaged), `byte ${at}`);
  }
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [await new Signer().key()] }));
  assert.ok(!verify(document), 'the key of another server');
});
