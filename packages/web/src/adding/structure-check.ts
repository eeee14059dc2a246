/** The check of a TIFF file before its upload. Loaded when it is needed: the first load is small. */
import { checkTiff } from '@cryolift/mrc';

/** Reads the directories of the file. @returns why the server would refuse it, and its warnings. */
export async function checkStructure(file: File) {
  const read = async (offset: number, target: Uint8Array) =>
    target.set(new Uint8Array(await file.slice(offset, offset + target.length).arrayBuffer()));
  const { rejections, warnings } = await checkTiff({ read }, file.size);
  return { refusals: rejections.map(({ message }) => message), warnings: [...warnings] };
}
