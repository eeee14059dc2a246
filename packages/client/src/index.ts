export { Api, type Completion } from './api/api.ts';
export type { CallOptions, GetToken } from './api/authorized-transport.ts';
export { copyFile, findKnownFiles, type KnownFile } from './api/copies.ts';
export { Datasets } from './api/datasets.ts';
export { readEvents } from './api/event-stream.ts';
export { deleteFiles, readManifest, readTree, searchFiles } from './api/library.ts';
export type { PartOriginsOptions } from './api/part-origins.ts';
export { readRetryAfter } from './api/retry-after.ts';
export type { Shape } from './api/shapes.ts';
export type { OpenStorage } from './direct/direct-access.ts';
export {
  ConnectionError,
  ForeignReplyError,
  foreignReply,
  isOverload,
  ServerError,
  SourceError,
  type SourceFault,
  TargetError,
} from './failures.ts';
export { FileSlots } from './pacing/file-slots.ts';
export { Rate } from './pacing/rate.ts';
export { orAborted, RetryPolicy, sleep } from './pacing/retry-policy.ts';
export type {
  PartEncoder,
  ResumeKey,
  ResumeRecord,
  ResumeStore,
  Source,
  Transport,
  WireReply,
  WireRequest,
} from './ports.ts';
export type { PartSet } from './upload/part-ledger.ts';
export type { Notice, Progress, UploaderOptions, UploadOptions } from './upload/upload-options.ts';
export type { ClientState } from './upload/upload-states.ts';
export { Uploader } from './upload/uploader.ts';
