/** Writes the tag files of a bag (BagIt 1.0, RFC 8493), whose files are in the folder `data` already. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceiptDocument } from '@cryolift/protocol/messages';

/** @param receipt the text of the receipt, which names the files of the bag. */
export async function writeBag(folder: string, receipt: string): Promise<void> {
  const { receipt: signed, files } = JSON.parse(receipt) as ReceiptDocument;
  const { dataset, issuer, bytes, issued_at } = signed;
  const tags = {
    'bagit.txt': 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
    'bag-info.txt': printInfo({
      'Source-Organization': issuer,
      'Bagging-Date': issued_at.slice(0, 10),
      'Payload-Oxum': `${bytes}.${files.length}`,
      'External-Identifier': dataset.dataset_id,
      'Internal-Sender-Description': dataset.name,
    }),
    'manifest-sha256.txt': files.map(({ sha256, path }) => `${sha256}  data/${encodePath(path)}\n`).join(''),
    'receipt.json': receipt,
  };
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const [name, text] of Object.entries(tags)) await writeFile(join(folder, name), text);
  const sums = Object.entries(tags).map(([name, text]) => `${sha256Of(text)}  ${name}\n`);
  // The last one: without it the bag is not complete.
  await writeFile(join(folder, 'tagmanifest-sha256.txt'), sums.join(''));
}

/** Section 2.2.2: one line for each. */
function printInfo(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}: ${value.replace(/\s+/g, ' ')}\n`)
    .join('');
}

/** Section 2.1.3: line ends and `%` are percent-encoded. */
function encodePath(path: string): string {
  return path.replace(/[%\r\n]/g, encodeURIComponent);
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
