/** The adapters for Node: files, connections, resume store. */
export { createAgent, describeWay, showUrl } from './agent.ts';
export { toConnectionError } from './connection-failure.ts';
export { download, hasBytesOf, hashPath } from './download/download.ts';
export { assertHarmlessName } from './download/local-name.ts';
export { cutName, placeNew, temporaryName } from './download/place.ts';
export type { DownloadOptions } from './download/ranges.ts';
export { streamDownload } from './download/stream-download.ts';
export { defaultStateFolder, FileResumeStore } from './file-resume-store.ts';
export { FileSource } from './file-source.ts';
export { isHeld, isHeldNow, mayBeHeld, retryWhileHeld } from './held-file.ts';
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
export { realPath } from './real-path.ts';
export { assertRegular, openRegularFile, toSourceError } from './regular-file.ts';
export { describeSystemError, isSystemError, naming } from './system-error.ts';
export { zstdEncoder } from './zstd-encoder.ts';
