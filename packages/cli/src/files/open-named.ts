/** Opens a file so that errors contain its path. */
import { SourceError } from '@cryolift/client';
import { FileSource } from '@cryolift/client/node';

/** @throws SourceError whose message starts with the path. */
export async function openNamed(path: string): Promise<FileSource> {
  try {
    return await FileSource.open(path);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SourceError(error.code, `${path}: ${error.message}`, error.hint, { cause: error });
  }
}
