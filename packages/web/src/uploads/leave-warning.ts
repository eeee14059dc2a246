/** Leaving the page stops its uploads: the browser asks first. */
import type { Accounts } from '../accounts.ts';

export function warnBeforeLeaving(accounts: Accounts): void {
  addEventListener('beforeunload', (event) => {
    if (accounts.isBusy) event.preventDefault();
  });
}
