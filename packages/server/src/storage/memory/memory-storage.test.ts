import { describeStorage } from '../test-contract.ts';
import { MemoryStorage } from './memory-storage.ts';

describeStorage('memory', async () => {
  const storage = new MemoryStorage();
  return { storage, lose: (upload) => storage.uploads.discard(upload) };
});
