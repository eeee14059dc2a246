/** Opens a file that the command is about, so that errors name it. */
import { SourceError } from '@cryolift/client';
import { FileSource } from '@cryolift/client/node';

/** @throws SourceError that begins with the path. */
export async function openNamed(path: string): Promise<FileSource> {
  try {
    return await FileSource.open(path);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SourceError(error.code, `${path}: ${error.message}`, error.hint, { cause: error });
  }
}
