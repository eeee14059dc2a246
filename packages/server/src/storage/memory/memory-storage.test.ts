import { describeStorage } from '../test-contract.ts';
import { MemoryStorage } from './memory-storage.ts';

describeStorage('memory', async () => {
  const storage = new MemoryStorage();
  return { storage, lose: (uploadId) => storage.uploads.discard(uploadId) };
});
