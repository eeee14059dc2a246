/** What the SDK needs in Node: files, connections, memory. */
export { createAgent, describeWay, showUrl } from './agent.ts';
export { toConnectionError } from './connection-failure.ts';
export { download, hashPath } from './download.ts';
export { defaultStateFolder, FileMemory } from './file-memory.ts';
export { FileSource } from './file-source.ts';
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
export { assertHarmlessName } from './local-name.ts';
export { cutName, placeNew, temporaryName } from './place.ts';
export type { DownloadOptions } from './ranges.ts';
export { assertRegular, openRegularFile, toSourceError } from './regular-file.ts';
export { streamDownload } from './stream-download.ts';
export { describeSystemError, isSystemError, naming } from './system-error.ts';
