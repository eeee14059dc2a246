import { type ReceiptKey, ReceiptKeys } from '@cryolift/protocol/messages';
import { Value } from 'typebox/value';
import { readTextFile } from '../files/text-file.ts';
import { UsageError } from '../process/exit.ts';

/** Reads the public keys of a server, as `/.well-known/cryolift-receipt-keys.json` has them. @throws UsageError */
export function readReceiptKeys(path: string): ReceiptKey[] {
  let keys: unknown;
  try {
    keys = JSON.parse(readTextFile(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${path} is not JSON`);
    throw error;
  }
  if (Value.Check(ReceiptKeys, keys)) return keys.keys;
  throw new UsageError(`${path} does not have the public keys of a server: {"keys": [...]}`);
}
