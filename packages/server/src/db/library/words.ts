import { foldText } from './entry.ts';

/** More words are not looked for. */
const MAX_WORDS = 16;

/** The words that a search asks for, as `foldText` makes them, each once. */
export function wordsOf(search: string): string[] {
  const words = foldText(search).split(/\s+/u);
  return [...new Set(words.filter((word) => word !== ''))].slice(0, MAX_WORDS);
}
