/** Uploads files to a server. Programs, the page and the command line call it. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { Api } from '../api/api.ts';
import { KnownLimits } from '../api/known-limits.ts';
import { PartOrigins } from '../api/part-origins.ts';
import { DirectAccess } from '../direct/direct-access.ts';
import { PartWindow } from '../pacing/part-window.ts';
import type { Source } from '../ports.ts';
import { Claims } from './claims.ts';
import { LocalDigests } from './local-digests.ts';
import { PartBuffers } from './part-buffers.ts';
import type { UploaderOptions, UploadOptions } from './upload-options.ts';
import { UploadTask } from './upload-task.ts';

const PARALLEL = 64;

export class Uploader {
  readonly api: Api;
  readonly #options: UploaderOptions;
  readonly #partOrigins: PartOrigins;
  readonly #partWindow: PartWindow;
  readonly #directAccess: DirectAccess;
  readonly #limits = new KnownLimits();
  readonly #claims = new Claims();
  readonly #digests = new LocalDigests();
  readonly #buffers = new PartBuffers();

  constructor(options: UploaderOptions) {
    this.#options = options;
    const parallel = options.parallel ?? PARALLEL;
    this.#partOrigins = new PartOrigins(options.transport, parallel, options.partOrigins);
    this.api = new Api(options.transport, options.getToken, this.#partOrigins);
    this.#directAccess = new DirectAccess(options.openStorage);
    this.#partWindow = new PartWindow(
      () => this.#partOrigins.parallel,
      () => this.api.limits(),
    );
  }

  /**
   * Uploads a file, or its missing parts. Several files may be uploaded at the same time. Parts that the server had
   * before are read and compared before the file is done.
   *
   * @returns the record of the published file.
   * @throws ServerError, ConnectionError or SourceError; the signal's reason when it is aborted. The upload is kept in
   *   every case, and the next call continues it.
   */
  async upload(source: Source, options: UploadOptions = {}): Promise<FileRecord> {
    const origins = this.#partOrigins;
    const shared = {
      limits: this.#limits,
      origins,
      claims: this.#claims,
      digests: this.#digests,
      buffers: this.#buffers,
    };
    return await new UploadTask(
      { ...shared, api: this.api, partWindow: this.#partWindow, directAccess: this.#directAccess },
      this.#options,
      source,
      options,
    ).upload();
  }
}
