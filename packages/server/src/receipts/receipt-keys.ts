/** The keys that sign receipts. Public keys stay for good, so that old receipts can be verified. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { ReceiptDocument, ReceiptKey } from '@cryolift/protocol/messages';
import { toReceiptKey } from '@cryolift/protocol/receipts';
import { KeyRing } from '../key-ring.ts';
import type { SecretStore } from '../secret-store.ts';

/** A key as it is stored (RFC 8037). The private part, `d`, is removed when a newer key is made. */
interface KeptKey {
  readonly x: string;
  readonly d?: string;
  readonly made_at: string;
}

/** A key signs receipts for this long. */
const USE_MS = 365 * 86_400_000;
/** A key that another server has made is published after this time at most. */
const REREAD_MS = 1_000;

export class ReceiptKeys {
  readonly #ring: KeyRing<KeptKey>;

  /** @param now milliseconds since 1970. */
  constructor(store: SecretStore, now: () => number) {
    this.#ring = new KeyRing(store, now, {
      useMs: USE_MS,
      make(made_at): KeptKey {
        const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
        return { x: x as string, d: d as string, made_at };
      },
      retire: (older) => older.map(({ x, made_at }) => ({ x, made_at })),
    });
  }

  /** Ed25519 (RFC 8032) over the UTF-8 bytes of a text. */
  async sign(text: string): Promise<ReceiptDocument['signature']> {
    const { x, d } = await this.#ring.current();
    const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x, d: d as string } });
    const signature = sign(null, Buffer.from(text), key).toString('base64url');
    return { key: await toReceiptKey(x), signature };
  }

  /** The public keys, the newest first. There is one when it was asked for, before the first receipt. */
  async published(): Promise<ReceiptKey[]> {
    await this.#ring.current();
    const kept = await this.#ring.all(REREAD_MS);
    return await Promise.all(kept.toReversed().map(({ x }) => toReceiptKey(x)));
  }
}
