/** Finds the file that a path names. */
import { type FileContext, getFile, getLinkedFile } from '../../files/files.ts';
import type { StoredFile } from '../../files/stored-file.ts';
import { canAccess } from '../../uploads/context.ts';
import { accessOf, type Caller } from '../auth/caller.ts';

/** @throws UploadError `file_not_found` when there is no such file, or the caller has no access to it. */
export async function findFile(context: FileContext, caller: Caller, id: string): Promise<StoredFile> {
  const access = accessOf(caller);
  return await getFile(context, id, (owner) => canAccess(access, owner));
}

/** As `findFile`, with the `.mdoc` file of a series, or the series of an `.mdoc` file. */
export async function findLinkedFile(context: FileContext, caller: Caller, id: string): Promise<StoredFile> {
  const access = accessOf(caller);
  return await getLinkedFile(context, id, (owner) => canAccess(access, owner));
}
