import { type ReceiptKey, ReceiptKeys } from '@cryolift/protocol/messages';
import { Value } from 'typebox/value';
import { readTextFile } from '../files/text-file.ts';
import { UsageError } from '../process/exit.ts';

/** Reads the public keys of a server, as `/.well-known/cryolift-receipt-keys.json` has them. @throws UsageError */
export function readReceiptKeys(path: string): ReceiptKey[] {
  const keys = parseReceiptKeys(readTextFile(path));
  if (keys) return keys;
  throw new UsageError(`${path} does not have the public keys of a server: {"keys": [...]}`);
}

/** @returns null: the text has no such keys. */
export function parseReceiptKeys(text: string): ReceiptKey[] | null {
  try {
    const keys: unknown = JSON.parse(text);
    return Value.Check(ReceiptKeys, keys) ? keys.keys : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
