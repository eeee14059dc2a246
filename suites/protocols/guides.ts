/** Programs in the pages of `docs/guides`, as they stand there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const GUIDES = new URL('../../docs/guides/', import.meta.url);

/**
 * @param page like `tus.md`. @param language after the fence. @param nth from 0, of those in this language.
 * @param replacements the example's host and token, each with what stands for it; each has to be there.
 */
export function programIn(
  page: string,
  language: string,
  nth: number,
  replacements: Readonly<Record<string, string>>,
): string {
  const text = readFileSync(new URL(page, GUIDES), 'utf8');
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  );
  const program = blocks[nth];
  assert.ok(program !== undefined, `${page} has ${blocks.length} programs in ${language}`);
  return Object.entries(replacements).reduce((done, [example, real]) => {
    assert.ok(done.includes(example), `program ${nth} of ${page} has no ${example}`);
    return done.replaceAll(example, real);
  }, program);
}
