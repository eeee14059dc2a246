/** Asks for signed URLs just before parts are sent. Parts that are ready at the same time share one request. */
import { toHex } from '@cryolift/protocol/digest';
import type { SignedParts } from '@cryolift/protocol/messages';
import type { Part, SignedPart } from '../api/api.ts';

const MAX_AT_ONCE = 16;

/** `stored`: the server has the part, with this digest. `proxied`: it must be sent to the server. */
export type Signing =
  | { readonly kind: 'direct'; readonly signed: SignedPart }
  | { readonly kind: 'stored'; readonly sha256: string }
  | { readonly kind: 'proxied' };

/** Repeats itself while its error is temporary. */
type Sign = (parts: readonly { part: number; sha256: string }[]) => Promise<SignedParts>;

interface Waiting {
  readonly part: number;
  readonly sha256: string;
  readonly settle: (signing: Signing) => void;
  readonly fail: (error: unknown) => void;
}

export class PartSigner {
  readonly #sign: Sign;
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(sign: Sign) {
    this.#sign = sign;
  }

  /** @throws as `sign` does. */
  async sign({ idx, digest }: Pick<Part, 'idx' | 'digest'>): Promise<Signing> {
    const { promise, resolve, reject } = Promise.withResolvers<Signing>();
    this.#waiting.push({ part: idx, sha256: toHex(digest), settle: resolve, fail: reject });
    if (!this.#isRunning) void this.#run();
    return await promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_AT_ONCE);
      try {
        const answer = await this.#sign(batch.map(({ part, sha256 }) => ({ part, sha256 })));
        for (const each of batch) each.settle(find(answer, each.part));
      } catch (error) {
        for (const each of batch) each.fail(error);
      }
    }
    this.#isRunning = false;
  }
}

function find({ urls, stored = [] }: SignedParts, part: number): Signing {
  const there = stored.find((each) => each.part === part);
  if (there) return { kind: 'stored', sha256: there.sha256 };
  const signed = urls.find((each) => each.part === part);
  return signed?.direct ? { kind: 'direct', signed } : { kind: 'proxied' };
}
