export { Api, type CallOptions, type Completion, type GetToken } from './api.ts';
export { readEvents } from './event-stream.ts';
export {
  ConnectionError,
  ForeignReplyError,
  foreignReply,
  ServerError,
  SourceError,
  type SourceFault,
  TargetError,
} from './failures.ts';
export type { PartSet } from './ledger.ts';
export { orAborted, Patience, sleep } from './patience.ts';
export type { Memory, MemoryKey, Remembered, Source, Transport, WireReply, WireRequest } from './ports.ts';
export { Rate } from './rate.ts';
export { readRetryAfter } from './retry-after.ts';
export type { Shape } from './shapes.ts';
export type { ClientState } from './states.ts';
export type { Notice, Progress, UploaderOptions, UploadOptions } from './upload-options.ts';
export { Uploader } from './uploader.ts';
