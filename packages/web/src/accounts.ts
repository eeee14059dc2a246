/** The account that is signed in, the accounts with waiting uploads, and the files that wait for a sign-in. */
import { Account, SIGNED_IN_LOCK } from './account.ts';
import type { Found } from './adding/found-files.ts';
import { Cell } from './cell.ts';
import { goTo, route } from './current-route.ts';
import type { WatchedTransport } from './live/watched-transport.ts';
import { locksHeld } from './locks.ts';
import type { SignInConflict } from './signing-in/signed-in.ts';
import type { Subject } from './signing-in/subject.ts';
import type { TokenKeeper } from './signing-in/token-keeper.ts';
import { isActive, type Upload } from './uploads/upload.ts';
import { traitsOf } from './uploads/upload-states.ts';

const NOTHING: Found = { files: [], unreadable: 0 };

export class Accounts {
  /** The account that is signed in. */
  readonly current = new Cell<Account | null>(null);
  /** The uploads of the current account. */
  readonly uploads = new Cell<readonly Upload[]>([]);
  /** Files that were added while nobody was signed in. The next account to sign in uploads them. */
  readonly waiting = new Cell<Found>(NOTHING);
  readonly #keeper: TokenKeeper;
  readonly #transport: WatchedTransport;
  /** By the subject's key: the current account, and signed-out accounts with waiting uploads. */
  readonly #accounts = new Map<string, Account>();
  /** Drops whose files are still being listed, made while nobody was signed in. */
  #listingCount = 0;
  #stopMirror = (): void => {};

  constructor(keeper: TokenKeeper, transport: WatchedTransport) {
    this.#keeper = keeper;
    this.#transport = transport;
    keeper.findConflict = (subject) => this.#findConflict(subject);
    keeper.state.watch(() => this.#updateCurrent());
  }

  /** Adds files to the account that is signed in now, even if another one has signed in when they are found. */
  receiveFiles = async (finding: Promise<Found>): Promise<void> => {
    const { value: account } = this.current;
    if (account) return await account.fileReceiver.receive(finding);
    this.#listingCount++;
    const found = await finding.finally(() => {
      this.#listingCount--;
    });
    const { value: accountSince } = this.current;
    if (accountSince) return await accountSince.fileReceiver.receive(found);
    const { files, unreadable } = this.waiting.value;
    this.waiting.set({ files: files.concat(found.files), unreadable: unreadable + found.unreadable });
  };

  /** The number of unfinished uploads of signed-out accounts. */
  get waitingForSignIn(): number {
    let count = 0;
    for (const account of this.#accounts.values()) {
      if (account !== this.current.value) count += account.uploads.unfinishedCount;
    }
    return count;
  }

  /** Closing the page would stop or lose something. */
  get isBusy(): boolean {
    if (this.#listingCount > 0 || this.waiting.value.files.length > 0 || this.waitingForSignIn > 0) return true;
    if ([...this.#accounts.values()].some(({ fileReceiver }) => fileReceiver.isReceiving)) return true;
    return this.uploads.value.some(isActive);
  }

  /** Leaving the page would interrupt something, also what waits for the user. */
  get hasWork(): boolean {
    return this.isBusy || this.uploads.value.some(({ state }) => traitsOf(state).isUnfinished);
  }

  /** A subject with an expired token stays signed in: the uploads wait for another token. */
  #updateCurrent(): void {
    const { subject } = this.#keeper;
    const before = this.current.value;
    if (before?.subject.key === subject?.key) return;
    if (before) this.#leave(before);
    if (subject) this.#enter(subject);
  }

  #leave(account: Account): void {
    this.#stopMirror();
    account.close();
    this.current.set(null);
    this.uploads.set([]);
    const { value } = route;
    // Do not show the file or the folder of this account to the next one.
    if (value.view === 'files') goTo('#files');
    const { uploads, fileReceiver } = account;
    if (uploads.unfinishedCount === 0 && !fileReceiver.isReceiving) this.#accounts.delete(account.subject.key);
  }

  #enter(subject: Subject): void {
    const known = this.#accounts.get(subject.key);
    const account = known ?? new Account({ subject, keeper: this.#keeper, transport: this.#transport });
    this.#accounts.set(subject.key, account);
    const mirror = () => this.uploads.set(account.uploads.uploads.value);
    this.#stopMirror = account.uploads.uploads.watch(mirror);
    mirror();
    account.open();
    this.current.set(account);
    const found = this.waiting.value;
    this.waiting.set(NOTHING);
    if (found !== NOTHING) void account.fileReceiver.receive(found);
  }

  /** A link signs in without a question only where nobody is signed in and no file waits. */
  async #findConflict(subject: Subject): Promise<SignInConflict | null> {
    const locks = await locksHeld();
    const { subject: signedIn } = this.#keeper;
    if (signedIn) return signedIn.key === subject.key ? null : { kind: 'subject', subject: signedIn };
    const isOther = (name: string) => name.startsWith(SIGNED_IN_LOCK) && name !== SIGNED_IN_LOCK + subject.key;
    if ([...locks].some(isOther)) return { kind: 'other-tab' };
    return this.isBusy ? { kind: 'files' } : null;
  }
}
