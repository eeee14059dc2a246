/** Calls about datasets. All throw as the calls of `Api` do. */
import { DATASET_LIMITS } from '@cryolift/protocol/dataset-limits';
import type {
  CheckQuery,
  DatasetChanges,
  DatasetCheck,
  DatasetPage,
  DatasetQuery,
  DatasetRecord,
  DatasetRequest,
  DestinationList,
  ExpectedFile,
  FilePage,
  FileQuery,
  FileTree,
  PushRecord,
  ReceiptDocument,
  SignedDownload,
  TreeQuery,
  WithdrawnFiles,
} from '@cryolift/protocol/messages';
import type { Api } from './api.ts';
import type { CallOptions } from './authorized-transport.ts';
import { toQuery } from './query.ts';
import {
  isAnnounced,
  isCheck,
  isDataset,
  isDatasetPage,
  isDestination,
  isFilePage,
  isFileTree,
  isList,
  isPush,
  isSignedDownload,
  isWithdrawn,
} from './shapes.ts';

export class Datasets {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** @throws ServerError `dataset_exists` when the caller has one of this name. */
  async create(request: DatasetRequest, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'POST', '/datasets', request, options);
  }

  async list(query: DatasetQuery = {}, options?: CallOptions): Promise<DatasetPage> {
    return await this.#api.call(isDatasetPage, 'GET', `/datasets${toQuery(query)}`, undefined, options);
  }

  async read(id: string, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'GET', pathOf(id), undefined, options);
  }

  /** The caller's dataset of this name; null: there is none. */
  async find(name: string, options?: CallOptions): Promise<DatasetRecord | null> {
    return (await this.list({ name, limit: 1 }, options)).items[0] ?? null;
  }

  async update(id: string, changes: DatasetChanges, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'PATCH', pathOf(id), changes, options);
  }

  /** Deletes it with its files. @returns it as it was. */
  async delete(id: string, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'DELETE', pathOf(id), undefined, options);
  }

  /** The files of a dataset, searched and sorted; not given: all, newest first. */
  async files(id: string, query: FileQuery = {}, options?: CallOptions): Promise<FilePage> {
    return await this.#api.call(isFilePage, 'GET', `${pathOf(id)}/files${toQuery(query)}`, undefined, options);
  }

  /** A URL with which anybody can list and download its files. @param expiresInSeconds at most a week. */
  async sign(id: string, expiresInSeconds: number, options?: CallOptions): Promise<SignedDownload> {
    const body = { expires_in: expiresInSeconds };
    return await this.#api.call(isSignedDownload, 'POST', `${pathOf(id)}/sign`, body, options);
  }

  /** Sums of a folder of a dataset, and a page of the folders directly below it. */
  async tree(id: string, query: TreeQuery = {}, options?: CallOptions): Promise<FileTree> {
    return await this.#api.call(isFileTree, 'GET', `${pathOf(id)}/tree${toQuery(query)}`, undefined, options);
  }

  /**
   * Safe to repeat.
   *
   * @param force also while something is missing; this is kept in the record.
   * @throws ServerError `dataset_incomplete`, whose details say what is missing.
   */
  async complete(id: string, { force = false } = {}, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'POST', `${pathOf(id)}/complete`, { force }, options);
  }

  /** Announces files that it is to have, up to 1,000 with each call; a path that was announced before is replaced. */
  async announce(id: string, files: readonly ExpectedFile[], options?: CallOptions): Promise<number> {
    let announced = 0;
    for (let from = 0; from < files.length; from += DATASET_LIMITS.expectedPerCall) {
      const some = files.slice(from, from + DATASET_LIMITS.expectedPerCall);
      ({ announced } = await this.#api.call(isAnnounced, 'POST', `${pathOf(id)}/expected`, some, options));
    }
    return announced;
  }

  /**
   * Withdraws files that were announced, up to 1,000 with each call; paths that were not are passed over.
   *
   * @param paths null: all, in one call.
   */
  async withdraw(id: string, paths: readonly string[] | null, options?: CallOptions): Promise<WithdrawnFiles> {
    const call = (request: object) =>
      this.#api.call(isWithdrawn, 'POST', `${pathOf(id)}/expected/withdraw`, request, options);
    if (paths === null) return await call({ all: true });
    let sum: WithdrawnFiles = { withdrawn: 0, announced: 0 };
    for (let from = 0; from < paths.length; from += DATASET_LIMITS.expectedPerCall) {
      const { withdrawn, announced } = await call({ paths: paths.slice(from, from + DATASET_LIMITS.expectedPerCall) });
      sum = { withdrawn: sum.withdrawn + withdrawn, announced };
    }
    return sum;
  }

  /** What is missing, wrong, extra and double: all counts, and a page of one list. */
  async check(id: string, query: CheckQuery = {}, options?: CallOptions): Promise<DatasetCheck> {
    return await this.#api.call(isCheck, 'GET', `${pathOf(id)}/check${toQuery(query)}`, undefined, options);
  }

  /**
   * The newest receipt, as it was signed: canonical JSON and a line feed.
   *
   * @throws ServerError `receipt_not_found`; `receipt_not_ready` while that of the completion is being made.
   */
  async receipt(id: string, options?: CallOptions): Promise<string> {
    return await this.#api.text(`${pathOf(id)}/receipt`, options);
  }

  /** Issues a receipt of what the dataset has now. @returns as `receipt`. @throws ServerError `receipt_not_ready`. */
  async issueReceipt(id: string, options?: CallOptions): Promise<string> {
    return await this.#api.text(`${pathOf(id)}/receipt`, options, 'POST');
  }

  /** Gives the server the receipt of the one that had the files before. @throws ServerError `receipt_invalid`. */
  async takeReceipt(id: string, receipt: ReceiptDocument, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'PUT', `${pathOf(id)}/receipt/previous`, receipt, options);
  }

  /** Where datasets of the caller may be pushed to. */
  async destinations(options?: CallOptions): Promise<DestinationList['items']> {
    return (await this.#api.call(isList(isDestination), 'GET', '/destinations', undefined, options)).items;
  }

  /**
   * Copies a complete dataset to a destination, in the background; goes on with one that has failed.
   *
   * @param to `NAME`, `NAME/FOLDER`, or a URL below that of a destination.
   * @throws ServerError `destination_not_found`, `dataset_not_complete`.
   */
  async push(id: string, to: string, options?: CallOptions): Promise<PushRecord> {
    return await this.#api.call(isPush, 'POST', `${pathOf(id)}/pushes`, { to }, options);
  }

  /** The newest first. */
  async pushes(id: string, options?: CallOptions): Promise<PushRecord[]> {
    return (await this.#api.call(isList(isPush), 'GET', `${pathOf(id)}/pushes`, undefined, options)).items;
  }

  async readPush(id: string, pushId: string, options?: CallOptions): Promise<PushRecord> {
    return await this.#api.call(isPush, 'GET', pushPathOf(id, pushId), undefined, options);
  }

  /** What is at the destination stays there. Safe to repeat. */
  async cancelPush(id: string, pushId: string, options?: CallOptions): Promise<PushRecord> {
    return await this.#api.call(isPush, 'DELETE', pushPathOf(id, pushId), undefined, options);
  }

  /** Safe to repeat. */
  async release(id: string, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'POST', `${pathOf(id)}/release`, undefined, options);
  }

  /** Safe to repeat. */
  async reopen(id: string, options?: CallOptions): Promise<DatasetRecord> {
    return await this.#api.call(isDataset, 'POST', `${pathOf(id)}/reopen`, undefined, options);
  }
}

function pathOf(id: string): string {
  return `/datasets/${encodeURIComponent(id)}`;
}

function pushPathOf(id: string, pushId: string): string {
  return `${pathOf(id)}/pushes/${encodeURIComponent(pushId)}`;
}
