/** The browser asks before it leaves a page with unfinished uploads. */
import type { Accounts } from '../accounts.ts';

export function warnBeforeLeaving(accounts: Accounts): void {
  addEventListener('beforeunload', (event) => {
    if (accounts.isBusy) event.preventDefault();
  });
}
