/** Checks a receipt without a server. */
import { Value } from 'typebox/value';
import { toHex } from '../digest.ts';
import { MAX_PREVIOUS, Receipt, ReceiptDocument, type ReceiptKey } from '../messages.ts';
import { canonicalJson } from './canonical.ts';
import { compareFiles, filesText } from './files-digest.ts';
import { isSignedBy } from './keys.ts';

export type Verified =
  | { readonly kind: 'good'; readonly document: ReceiptDocument; readonly unknownKeys: readonly ReceiptKey[] }
  /** `message`: a sentence. */
  | { readonly kind: 'bad'; readonly message: string };

type Link = Pick<ReceiptDocument, 'receipt' | 'signature'>;

/**
 * Checks every byte of a receipt: its form, the list of files, its signature and those of the earlier receipts in it.
 *
 * @param text the whole document. @param trusted keys whose owner is known; a key beside them is in `unknownKeys`.
 */
export async function verifyReceipt(text: string, trusted: readonly ReceiptKey[]): Promise<Verified> {
  const document = parse(text);
  if (typeof document === 'string') return bad(document);
  const { receipt, files } = document;
  if (receipt.files !== files.length || receipt.bytes !== files.reduce((sum, { size }) => sum + size, 0)) {
    return bad('The list of files has another number of files or bytes than the receipt says.');
  }
  if (!files.every((file, at) => at === 0 || compareFiles(files[at - 1] as typeof file, file) < 0)) {
    return bad('The list of files is not sorted, or has a file twice.');
  }
  if ((await sha256Of([...filesText(files)].join(''))) !== receipt.files_sha256) {
    return bad('The list of files was changed after the receipt was signed.');
  }
  const keys = new Map<string, ReceiptKey>();
  for (let link: Link | null = document, depth = 0; link; link = link.receipt.previous as Link | null, depth++) {
    if (depth > MAX_PREVIOUS || !Value.Check(Receipt, link.receipt)) return bad('An earlier receipt is not one.');
    const { key, signature: signed } = link.signature;
    if (!(await isSignedBy(key, canonicalJson(link.receipt), signed))) {
      return bad(`The signature of ${link.receipt.issuer} is wrong: the receipt was changed after it was signed.`);
    }
    keys.set(key.kid, key);
  }
  for (const { kid } of trusted) keys.delete(kid);
  return { kind: 'good', document, unknownKeys: [...keys.values()] };
}

function parse(text: string): ReceiptDocument | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return 'This is no receipt: it is not JSON.';
  }
  if (!Value.Check(ReceiptDocument, document)) return 'This is no receipt: it does not have the form of one.';
  // Each byte counts: what is written in another way was changed.
  if (`${canonicalJson(document)}\n` !== text) return 'The receipt is not canonical JSON (RFC 8785): it was changed.';
  return document;
}

function bad(message: string): Verified {
  return { kind: 'bad', message };
}

/** Lower-case hex. */
async function sha256Of(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}
