/** A tus client: one upload after the other, appended in bodies of any size, through everything that happens. */
import { PART_BYTES } from '../contract/upload.ts';
import type { Random } from '../faults/random.ts';
import { Appended } from './appended.ts';
import { GivenUp, Stopped } from './caller.ts';
import { cancelUpload, deleteFile, readBack, type Steps } from './upload-steps.ts';

const MOST_PARTS = 6;
const LEAST_BODY_BYTES = 1000;

export class TusClient {
  readonly #steps: Steps;
  readonly #random: Random;
  readonly #owner: string;
  readonly #uploads: Appended[] = [];

  constructor(steps: Steps, random: Random, owner: string) {
    this.#steps = steps;
    this.#random = random;
    this.#owner = owner;
  }

  /** Runs until the gate ends it. */
  async run(): Promise<void> {
    try {
      for (let nth = 0; ; nth++) {
        const upload = this.#plan(nth);
        this.#uploads.push(upload);
        await this.#upload(upload).catch((error) => {
          // The ledger has the fault.
          if (!(error instanceof GivenUp)) throw error;
        });
        upload.entry.left = true;
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  /** Brings every upload to its end. @param steps that do not wait for the gate. */
  async finish(steps: Steps): Promise<void> {
    for (const upload of this.#uploads) {
      const { entry } = upload;
      if (entry.ended || entry.cancelled === 'asked') continue;
      await upload
        .find(steps)
        .then(() => upload.finish(steps))
        .catch((error) => {
          if (!(error instanceof GivenUp)) throw error;
        });
    }
  }

  #plan(nth: number): Appended {
    const entry = this.#steps.ledger.open({
      owner: this.#owner,
      filename: `${this.#owner}-${nth}.${this.#random.chance(0.2) ? 'mrc' : 'dat'}`,
      sizeBytes: this.#random.whole(2000, MOST_PARTS * PART_BYTES),
      partSizeBytes: PART_BYTES,
      declares: 'never',
      by: 'tus',
    });
    return new Appended(entry);
  }

  async #upload(upload: Appended): Promise<void> {
    const [steps, random, { entry }] = [this.#steps, this.#random, upload];
    const bodyBytes = random.magnitude(LEAST_BODY_BYTES, 3 * PART_BYTES);
    if (random.chance(0.15)) {
      await upload.open(steps);
      // Not to its end: it would be completed.
      if (bodyBytes < entry.plan.sizeBytes) await upload.sendOne(steps, bodyBytes);
      return await cancelUpload(steps, entry);
    }
    await upload.send(steps, bodyBytes);
    if (random.chance(0.4)) await readBack(steps, entry);
    if (random.chance(0.4)) await deleteFile(steps, entry);
  }
}
