import { formatCount } from '../format.ts';

/** `1 file`, `2 files`. */
export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
