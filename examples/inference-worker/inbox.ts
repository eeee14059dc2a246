/** Events that were accepted and are not dealt with yet: a folder, so that a worker that dies does not lose them. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export class Inbox {
  readonly #folder: string;
  readonly #deal: (event: string) => Promise<void>;
  #working: Promise<void> = Promise.resolve();

  /** @param deal with one event; its errors are reported, and the event is kept for the next start. */
  constructor(folder: string, deal: (event: string) => Promise<void>) {
    this.#folder = folder;
    this.#deal = deal;
  }

  /** Goes on with what an earlier run left. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const name of (await readdir(this.#folder)).sort()) if (name.endsWith('.json')) this.#queue(name);
  }

  /** Resolves when the event cannot get lost any more. One that comes again has the same id, and takes its own place. */
  async put(id: string, event: string): Promise<void> {
    const name = `${encodeURIComponent(id)}.json`;
    const path = join(this.#folder, name);
    await writeFile(`${path}.new`, event, { flush: true });
    await rename(`${path}.new`, path);
    this.#queue(name);
  }

  /** One after the other, in the order in which they came. */
  #queue(name: string): void {
    this.#working = this.#working.then(async () => {
      const path = join(this.#folder, name);
      try {
        const event = await readFile(path, 'utf8').catch(() => null);
        if (event === null) return;
        await this.#deal(event);
        await rm(path);
      } catch (error) {
        console.error(`event ${name}: ${(error as Error).message}; it is tried again at the next start`);
      }
    });
  }
}
