/** The destinations of the settings: which a caller means, and the delivery of a dataset there. */
import { UploadError } from '@cryolift/protocol/errors';
import type { DestinationList } from '@cryolift/protocol/messages';
import type { CryoliftTarget, DestinationConfig } from '../config/destinations.ts';
import type { PushedDataset } from './cryolift.ts';
import type { Delivery } from './delivery.ts';
import { FolderDelivery, type RemoteFolder } from './folder.ts';

/** A place below a destination. */
export interface Place {
  readonly destination: string;
  /** Segments with `/`; '': the destination itself. */
  readonly folder: string;
}

export class Destinations {
  readonly #configs: readonly DestinationConfig[];

  constructor(configs: readonly DestinationConfig[]) {
    this.#configs = [...configs].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Those that an owner may use. No URLs: they may say how a network is built. */
  list(owner: string): DestinationList['items'] {
    return this.#configs.filter((each) => mayUse(each, owner)).map(({ name, kind }) => ({ name, kind }));
  }

  /**
   * @param to `NAME`, `NAME/FOLDER`, or a URL below that of a destination. @param owner of what is pushed.
   * @throws UploadError `destination_not_found`, also for one that this owner may not use; `invalid_request`.
   */
  find(to: string, owner: string): Place {
    for (const config of this.#configs.filter((each) => mayUse(each, owner))) {
      const folder = folderBelow(config, to);
      if (folder === null) continue;
      if (folder !== '' && config.kind === 'cryolift') {
        throw new UploadError(
          'invalid_request',
          `The destination ${config.name} is another Cryolift: it has no folders.`,
        );
      }
      return { destination: config.name, folder };
    }
    throw new UploadError('destination_not_found', 'The server has no such destination for this dataset.');
  }

  /** The name of a dataset at a place: nothing else has it there, however often the dataset is renamed here. */
  nameAt({ destination, folder }: Place, { id, name }: { id: string; name: string }): string {
    if (this.#find(destination)?.kind === 'cryolift') return name;
    const safe = name.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '_');
    return [folder, `${safe}-${id}`].filter((part) => part !== '').join('/');
  }

  /**
   * @param at as `nameAt` has named it. @throws PushRefused, or another error: to be repeated. @returns null: the settings
   *   do not name this destination any more, or its owner may not use it.
   */
  async open(
    destination: string,
    owner: string,
    at: string,
    dataset: PushedDataset,
    signal: AbortSignal,
  ): Promise<Delivery | null> {
    const config = this.#find(destination);
    if (!config || !mayUse(config, owner)) return null;
    if (config.kind !== 'cryolift') return new FolderDelivery(await openFolder(config), at);
    const { CryoliftDelivery } = await import('./cryolift.ts');
    return await CryoliftDelivery.open(config, { ...dataset, name: at }, signal);
  }

  #find(name: string): DestinationConfig | undefined {
    return this.#configs.find((each) => each.name === name);
  }
}

/** Loads what the kind needs: most servers push nowhere. */
async function openFolder(config: Exclude<DestinationConfig, CryoliftTarget>): Promise<RemoteFolder> {
  switch (config.kind) {
    case 's3': {
      const { S3Folder } = await import('./s3.ts');
      return new S3Folder(config);
    }
    case 'sftp': {
      const { SftpFolder } = await import('./sftp.ts');
      return await SftpFolder.open(config);
    }
    case 'webdav': {
      const { WebDavFolder } = await import('./webdav.ts');
      return new WebDavFolder(config);
    }
  }
}

function mayUse({ owners }: DestinationConfig, owner: string): boolean {
  return owners === null || owners.includes(owner);
}

/** @returns null: it is not below this destination. */
function folderBelow({ name, url }: DestinationConfig, to: string): string | null {
  for (const base of [name, url.replace(/\/+$/, '')]) {
    if (to === base || to === `${base}/`) return '';
    if (!to.startsWith(`${base}/`)) continue;
    const folder = to.slice(base.length + 1).replace(/\/$/, '');
    assertFolder(folder);
    return folder;
  }
  return null;
}

/** Plain names only: nothing that a server of files, a URL or a shell reads in another way. */
function assertFolder(folder: string): void {
  const isPlain = folder.split('/').every((segment) => /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u.test(segment));
  if (isPlain && folder.length <= 512) return;
  const message =
    'The folder below a destination has names of letters, digits, `.`, `_` and `-`, with `/` between them.';
  throw new UploadError('invalid_request', message);
}
