/** Takes the body of one request. After `write`s, exactly one of `commit` and `abort`. */
export interface BodyReceiver<Result> {
  /** Set by the one who writes: called when no more bytes are wanted, before all have come. */
  onStop?: ((error: unknown) => void) | null;
  /** Takes bytes; the buffer may be reused at once. A promise: wait for it before the next write. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** The body is complete. @throws UploadError when its bytes are not stored. */
  commit(): Promise<Result>;
  /** The body ends before it is complete. Resolves when no write is running any more. */
  abort(): Promise<void>;
}
