/** Signed downloads of selected files. */
import { type Api, readManifest } from '@cryolift/client';
import { type LibraryState, toManifestQuery } from '../query/library-state.ts';
import { readDownloads } from './manifest-lines.ts';
import type { Selected } from './selection.ts';

/** How long signed URLs are valid. */
const VALID_SECONDS = 24 * 3600;
/** Of so few files each is signed with a call of its own; of more, the manifest of the whole list is read. */
const FEW = 20;

export interface DownloadList {
  readonly text: string;
  /** They are not on the server any more. */
  readonly gone: readonly Selected[];
  /** When the URLs end. */
  readonly expiresAt: string;
}

/** An input file of aria2. @param state of the list in which the files are. */
export async function makeAria2List(api: Api, state: LibraryState, files: readonly Selected[]): Promise<DownloadList> {
  return await fromManifest(api, state, files, ({ lines }) => lines);
}

/** A URL in each line. */
export async function makeLinks(api: Api, state: LibraryState, files: readonly Selected[]): Promise<DownloadList> {
  if (files.length > FEW) return await fromManifest(api, state, files, ({ url }) => `${url}\n`);
  const urls: string[] = [];
  for (const { id } of files) urls.push((await api.signFile(id, VALID_SECONDS)).url);
  return { text: urls.map((url) => `${url}\n`).join(''), gone: [], expiresAt: expiry() };
}

async function fromManifest(
  api: Api,
  state: LibraryState,
  files: readonly Selected[],
  print: (download: { url: string; lines: string }) => string,
): Promise<DownloadList> {
  const expiresAt = expiry();
  const manifest = await readManifest(api, { ...toManifestQuery(state), format: 'aria2', expires_in: VALID_SECONDS });
  const downloads = readDownloads(manifest);
  const found = files.map(({ id }) => downloads.get(id));
  return {
    text: found.map((download) => (download ? print(download) : '')).join(''),
    gone: files.filter((_, at) => !found[at]),
    expiresAt,
  };
}

function expiry(): string {
  return new Date(Date.now() + VALID_SECONDS * 1000).toISOString();
}
