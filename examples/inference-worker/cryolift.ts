/** The three calls that a worker needs. */
import type { FileRecord } from '@cryolift/protocol/messages';

export class Cryolift {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** Null when it was deleted meanwhile. */
  async file(fileId: string): Promise<FileRecord | null> {
    return await this.#call<FileRecord>('GET', `/files/${fileId}`);
  }

  async sign(fileId: string): Promise<{ url: string }> {
    const signed = await this.#call<{ url: string }>('POST', `/files/${fileId}/sign`, { expires_in: 3600 });
    if (!signed) throw new Error(`${fileId} was deleted`);
    return signed;
  }

  async report(fileId: string, metadata: Record<string, string>): Promise<void> {
    await this.#call('PATCH', `/files/${fileId}`, { metadata });
  }

  async #call<Answer>(method: string, path: string, body?: object): Promise<Answer | null> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}
