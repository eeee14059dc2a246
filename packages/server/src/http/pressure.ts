/** Refuses work while there is more than can be done: a clear answer at once is better than all answers late. */
import type { ServerResponse } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';

/** Requests under way at the same time; those whose bodies or answers take their time are not counted. */
const MAX_UNDER_WAY = 1_000;

export class Pressure {
  #underWay = 0;

  /** Counts a request until its answer is out or its connection has gone. @throws UploadError `overloaded` */
  enter(response: ServerResponse): void {
    if (this.#underWay >= MAX_UNDER_WAY) {
      throw new UploadError('overloaded', 'The server has as many requests as it can work on.', {
        retryAfterSeconds: 1,
      });
    }
    this.#underWay++;
    response.once('close', () => {
      this.#underWay--;
    });
  }
}
