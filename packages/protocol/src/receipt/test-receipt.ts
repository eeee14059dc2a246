/** Receipts of files that need not exist, for tests. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { toHex } from '../digest.ts';
import { RECEIPT_TYPE, type Receipt, type ReceiptDocument, type ReceiptFile, type ReceiptKey } from '../messages.ts';
import { canonicalJson } from './canonical.ts';
import { filesText } from './files-digest.ts';
import { toReceiptKey } from './keys.ts';

const TIME = '2026-11-30T12:00:00.000Z';
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export function makeFile(path: string, size: number, sha256 = EMPTY_SHA256): ReceiptFile {
  const common = { file_id: `id-${path}`, uploader: 'ada', published_at: TIME };
  return { path, size, sha256, ...common, image: null };
}

/** A server with a key of its own. */
export class Signer {
  readonly #keys = generateKeyPairSync('ed25519');

  async key(): Promise<ReceiptKey> {
    return await toReceiptKey((this.#keys.publicKey.export({ format: 'jwk' }) as { x: string }).x);
  }

  async issue(
    files: ReceiptFile[],
    previous: Pick<ReceiptDocument, 'receipt' | 'signature'> | null = null,
  ): Promise<ReceiptDocument> {
    const text = new TextEncoder().encode([...filesText(files)].join(''));
    const receipt: Receipt = {
      type: RECEIPT_TYPE,
      issuer: 'https://one.example',
      issued_at: TIME,
      dataset: {
        dataset_id: 'd1',
        name: 'grid 4 – Å',
        owner: 'ada',
        project: null,
        instrument: 'Krios',
        state: 'complete',
        completed_at: TIME,
        forced: null,
      },
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      files_sha256: toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', text))),
      previous,
    };
    const signature = sign(null, Buffer.from(canonicalJson(receipt)), this.#keys.privateKey).toString('base64url');
    return { receipt, files, signature: { key: await this.key(), signature } };
  }
}

export const printDocument = (document: object) => `${canonicalJson(document)}\n`;
