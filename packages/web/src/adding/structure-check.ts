/** The check of a TIFF file before its upload. Loaded when it is needed: the first load is small. */
import { checkTiff } from '@cryolift/mrc';
import { readerOf } from './file-reader.ts';

/** Reads the directories of the file. @returns why the server would refuse it, and its warnings. */
export async function checkStructure(file: File) {
  const { rejections, warnings } = await checkTiff(readerOf(file), file.size);
  return { refusals: rejections.map(({ message }) => message), warnings: [...warnings] };
}
