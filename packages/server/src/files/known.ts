/** Which of some files their owner has already. */
import { fromHex, toHex } from '@cryolift/protocol/digest';
import type { HaveRequest, KnownFiles } from '@cryolift/protocol/messages';
import { listKnown } from '../db/copies/known-files.ts';
import type { FileContext } from './files.ts';

function toDigest(hex: string): Uint8Array {
  return fromHex(hex) as Uint8Array;
}

/** What is not known is left out, whether it does not exist or belongs to somebody else: it is looked for in the same way. */
export async function findKnown({ db }: FileContext, owner: string, { files }: HaveRequest): Promise<KnownFiles> {
  const digests = [...new Set(files.map(({ sha256 }) => sha256))];
  const known = new Map<string, string>();
  for (const { id, sha256, size } of await listKnown(db, owner, digests.map(toDigest))) {
    known.set(`${toHex(sha256)} ${size}`, id);
  }
  const items = new Map<string, KnownFiles['items'][number]>();
  for (const { sha256, size } of files) {
    const key = `${sha256} ${size}`;
    const file_id = known.get(key);
    if (file_id !== undefined) items.set(key, { sha256, size, file_id });
  }
  return { items: [...items.values()] };
}
