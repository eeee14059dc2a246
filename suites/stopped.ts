import { readFileSync } from 'node:fs';

/** Whether a signal has stopped this process: state T of proc(5). */
export function isStopped({ pid }: { readonly pid?: number | undefined }): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
