/** What one owner has at the server, asked for directly, past the wire. */
import { createHash } from 'node:crypto';
import type { FilePage, UploadPage } from '@cryolift/protocol/messages';
import type { SampleFile } from './sample-file.ts';

export class Owner {
  readonly #url: string;
  readonly #token: string;

  /** @param token of a caller whom no other run knows; may read and delete. */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** @returns what is wrong with what the server has: it should be this file, and nothing else. */
  async compare(sample: SampleFile): Promise<string[]> {
    const { items } = await this.#json<FilePage>('/files');
    const wrong: string[] = [];
    if (items.length !== 1) wrong.push(`the server has ${items.length} files`);
    for (const { file_id, filename, size, sha256 } of items) {
      const read = await this.#hashContent(file_id);
      if (read !== sample.sha256) wrong.push(`the bytes of ${file_id} have SHA-256 ${read}, not ${sample.sha256}`);
      if (sha256 !== sample.sha256) wrong.push(`the record of ${file_id} says SHA-256 ${sha256}`);
      if (size !== sample.sizeBytes) wrong.push(`the record of ${file_id} says ${size} bytes`);
      if (filename !== sample.name) wrong.push(`the record of ${file_id} says its name is ${filename}`);
    }
    return wrong;
  }

  /** Leaves nothing on the server's disk. */
  async clear(): Promise<void> {
    const { items: files } = await this.#json<FilePage>('/files');
    for (const { file_id } of files) await this.#fetch(`/files/${file_id}`, 'DELETE');
    const { items: uploads } = await this.#json<UploadPage>('/uploads');
    const open = uploads.filter(({ status }) => ['pending', 'uploading', 'failed'].includes(status));
    for (const { upload_id } of open) await this.#fetch(`/uploads/${upload_id}`, 'DELETE');
  }

  async #hashContent(fileId: string): Promise<string> {
    const hash = createHash('sha256');
    const { body } = await this.#fetch(`/files/${fileId}/content`);
    for await (const chunk of body ?? []) hash.update(chunk);
    return hash.digest('hex');
  }

  async #json<Message>(path: string): Promise<Message> {
    return (await (await this.#fetch(path)).json()) as Message;
  }

  async #fetch(path: string, method = 'GET'): Promise<Response> {
    const response = await fetch(this.#url + path, { method, headers: { authorization: `Bearer ${this.#token}` } });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
