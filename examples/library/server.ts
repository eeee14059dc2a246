/** The calls about datasets that the examples share. */
import type { DatasetPage, DatasetRecord, FilePage, FileRecord } from '@cryolift/protocol/messages';

/** CRYOLIFT_SERVER and CRYOLIFT_TOKEN. */
export class Server {
  readonly url = (process.env.CRYOLIFT_SERVER ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
  readonly #token = process.env.CRYOLIFT_TOKEN ?? '';

  get headers(): { authorization: string } {
    return { authorization: `Bearer ${this.#token}` };
  }

  /** @returns null: 404. @throws Error for every other answer that is no success. */
  async call<Answer>(method: string, path: string, body?: object): Promise<Answer | null> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...this.headers, ...(body && { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  /** @throws Error when there is none of this name. */
  async dataset(name: string): Promise<DatasetRecord> {
    const page = await this.call<DatasetPage>('GET', `/datasets?limit=1&name=${encodeURIComponent(name)}`);
    const [found] = page?.items ?? [];
    if (!found) throw new Error(`there is no dataset ${name}`);
    return found;
  }

  /** All files of a dataset. */
  async *files(datasetId: string): AsyncGenerator<FileRecord> {
    for (let cursor = ''; ; ) {
      const page = await this.call<FilePage>('GET', `/datasets/${datasetId}/files?limit=500${cursor}`);
      yield* page?.items ?? [];
      if (!page?.next_cursor) return;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
  }
}
