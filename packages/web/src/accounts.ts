/** Who is signed in, and what waits for those who are not. */
import { Account, SIGNED_IN_LOCK } from './account.ts';
import { Cell } from './cell.ts';
import type { WatchedTransport } from './live/watched-transport.ts';
import { locksHeld } from './locks.ts';
import { route } from './route.ts';
import type { Subject } from './signing-in/subject.ts';
import type { Disturbed, TokenKeeper } from './signing-in/token-keeper.ts';
import type { Found } from './uploads/found-files.ts';
import { isActive, type Upload } from './uploads/upload.ts';

const NOTHING: Found = { files: [], unreadable: 0 };

export class Accounts {
  /** Of whoever is signed in. */
  readonly current = new Cell<Account | null>(null);
  /** The uploads of whoever is signed in. */
  readonly uploads = new Cell<readonly Upload[]>([]);
  /** Files that were given while nobody was signed in: they are for whoever signs in next. */
  readonly waiting = new Cell<Found>(NOTHING);
  readonly #keeper: TokenKeeper;
  readonly #transport: WatchedTransport;
  /** By the subject's key; those that are signed out have uploads that wait. */
  readonly #accounts = new Map<string, Account>();
  /** Drops whose files are still being found, of when nobody was signed in. */
  #findingCount = 0;
  #unwatch = (): void => {};

  constructor(keeper: TokenKeeper, transport: WatchedTransport) {
    this.#keeper = keeper;
    this.#transport = transport;
    keeper.findDisturbed = (subject) => this.#findDisturbed(subject);
    keeper.state.watch(() => this.#follow());
  }

  /** Takes files for whoever is signed in now, however long it takes to find them. */
  give = async (finding: Promise<Found>): Promise<void> => {
    const { value: account } = this.current;
    if (account) return await account.intake.take(finding);
    this.#findingCount++;
    const found = await finding.finally(() => {
      this.#findingCount--;
    });
    const { value: signedInSince } = this.current;
    if (signedInSince) return await signedInSince.intake.take(found);
    const { files, unreadable } = this.waiting.value;
    this.waiting.set({ files: files.concat(found.files), unreadable: unreadable + found.unreadable });
  };

  /** Files that wait until somebody who has signed out signs in again. */
  get waitingForOwners(): number {
    let count = 0;
    for (const account of this.#accounts.values()) {
      if (account !== this.current.value) count += account.uploads.unfinishedCount;
    }
    return count;
  }

  /** Something would be lost with the page. */
  get isBusy(): boolean {
    if (this.#findingCount > 0 || this.waiting.value.files.length > 0 || this.waitingForOwners > 0) return true;
    if ([...this.#accounts.values()].some(({ intake }) => intake.isTaking)) return true;
    return this.uploads.value.some(isActive);
  }

  /** The expired token's subject is still signed in: their uploads wait for another token. */
  #follow(): void {
    const { subject } = this.#keeper;
    const before = this.current.value;
    if (before?.subject.key === subject?.key) return;
    if (before) this.#leave(before);
    if (subject) this.#enter(subject);
  }

  #leave(account: Account): void {
    this.#unwatch();
    account.close();
    this.current.set(null);
    this.uploads.set([]);
    const { value } = route;
    // A file of theirs is nobody else's.
    if (value.view === 'files' && value.fileId !== null) location.hash = 'files';
    const { uploads, intake } = account;
    if (uploads.unfinishedCount === 0 && !intake.isTaking) this.#accounts.delete(account.subject.key);
  }

  #enter(subject: Subject): void {
    const known = this.#accounts.get(subject.key);
    const account = known ?? new Account({ subject, keeper: this.#keeper, transport: this.#transport });
    this.#accounts.set(subject.key, account);
    const mirror = () => this.uploads.set(account.uploads.uploads.value);
    this.#unwatch = account.uploads.uploads.watch(mirror);
    mirror();
    account.open();
    this.current.set(account);
    const found = this.waiting.value;
    this.waiting.set(NOTHING);
    if (found !== NOTHING) void account.intake.take(found);
  }

  /** Signing in by a link is for a tab where nobody is signed in and nothing is under way; it is asked about in any other. */
  async #findDisturbed(subject: Subject): Promise<Disturbed | null> {
    const locks = await locksHeld();
    const { subject: signedIn } = this.#keeper;
    if (signedIn) return signedIn.key === subject.key ? null : { kind: 'subject', subject: signedIn };
    const isOther = (name: string) => name.startsWith(SIGNED_IN_LOCK) && name !== SIGNED_IN_LOCK + subject.key;
    if ([...locks].some(isOther)) return { kind: 'other-tab' };
    return this.isBusy ? { kind: 'files' } : null;
  }
}
