/** What a server has answered. */
export class Answer {
  readonly status: number;
  /** By lower-case names; repeated ones joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  json<T>(): T {
    return JSON.parse(this.body.toString()) as T;
  }
}
