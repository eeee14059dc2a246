/** The adapters for browsers: files, connections, resume store. */
export { BlobSource, type BlobSourceOptions, type FileHandle } from './blob-source.ts';
export { IndexedDbResumeStore, type OpenUpload } from './indexed-db-resume-store.ts';
export { XhrTransport, type XhrTransportOptions } from './xhr-transport.ts';
