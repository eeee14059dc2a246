import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertHarmlessName } from './local-name.ts';
import { isFault } from './test-download.ts';

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'a path': ['../a.mrc', '/etc/passwd', 'a/b', '..\\a.mrc', 'C:\\a.mrc', '.', '..', ''],
  'a hidden file': ['.bash_profile', '.ssh', '.mrc', '...'],
  'a device of Windows': ['CON', 'con.mrc', 'NUL', 'COM1', 'lpt9.tar.mrc', 'aux .mrc'],
  'a drive of Windows': ['C:foo', 'z:a.mrc'],
  'an end that Windows removes': ['a.mrc.', 'a.mrc ', 'CON '],
  'control characters': ['a\0.mrc', 'a\n.mrc', 'a\x1b[31m.mrc', 'a\x9b.mrc', 'a\u202ecrm.mrc'],
  'more than 255 bytes': ['ä'.repeat(128)],
};
for (const [what, names] of Object.entries(REFUSED)) {
  test(`local name: a name from a server is refused: ${what}`, () => {
    for (const name of names) assert.throws(() => assertHarmlessName(name), isFault('name_not_possible'), name);
  });
}

test('local name: a name of a plain file is accepted', () => {
  const names = [
    'a.mrc',
    'a b (1).mrc',
    '-rf.mrc',
    'console.mrc',
    '2026-11-29T10:00:00.mrc',
    'Müller 日本語 😀.mrc',
    '~',
  ];
  for (const name of [...names, 'n'.repeat(255)]) assertHarmlessName(name);
});
