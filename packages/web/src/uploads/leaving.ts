/** Leaving the page stops its uploads: the browser asks first. */
import type { Cell } from '../cell.ts';
import { isActive, type Upload } from './upload.ts';

export function warnBeforeLeaving(uploads: Cell<readonly Upload[]>): void {
  addEventListener('beforeunload', (event) => {
    if (uploads.value.some(isActive)) event.preventDefault();
  });
}
