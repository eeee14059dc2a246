import { Option } from 'commander';
import { MAX_FILES } from '../options/defaults.ts';
import { parseCount } from '../options/quantity.ts';

/** An option that takes a whole number from 1 to `most`. */
export function countOption(flags: string, what: string, defaultValue: number, most = MAX_FILES): Option {
  return new Option(`${flags} <n>`, `${what}, 1 to ${most}`)
    .argParser((text) => parseCount(text, most))
    .default(defaultValue);
}
