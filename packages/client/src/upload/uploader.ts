/** Files to a server: what a program, a page or the command line calls. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { Api } from '../api/api.ts';
import { PartWindow } from '../pacing/part-window.ts';
import type { Source } from '../ports.ts';
import { Claims } from './claims.ts';
import { LocalDigests } from './local-digests.ts';
import { PartBuffers } from './part-buffers.ts';
import type { UploaderOptions, UploadOptions } from './upload-options.ts';
import { UploadTask } from './upload-task.ts';

const PARALLEL = 16;

export class Uploader {
  readonly api: Api;
  readonly #options: UploaderOptions;
  readonly #partWindow: PartWindow;
  readonly #claims = new Claims();
  readonly #digests = new LocalDigests();
  readonly #buffers = new PartBuffers();

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.api = new Api(options.transport, options.getToken);
    this.#partWindow = new PartWindow(options.parallel ?? PARALLEL, () => this.api.limits());
  }

  /**
   * Uploads a file, or what is missing of it. Several files may be uploaded at the same time. What the server has of it from
   * before is read here, and compared, before the file is done.
   *
   * @returns the published file's record.
   * @throws ServerError, ConnectionError or SourceError; the signal's reason when it is aborted. The session is kept in
   *   every case, and the next call goes on with it.
   */
  async upload(source: Source, options: UploadOptions = {}): Promise<FileRecord> {
    const shared = { claims: this.#claims, digests: this.#digests, buffers: this.#buffers };
    return await new UploadTask(
      { ...shared, api: this.api, partWindow: this.#partWindow },
      this.#options,
      source,
      options,
    ).upload();
  }
}
