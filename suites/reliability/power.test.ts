import { testRounds } from './few-rounds.ts';

testRounds('power losses on ext4, the boot id stays the same', 'power', 0, 2);
testRounds('power losses on ext4, with a new boot id', 'power', 1, 2);
testRounds('power losses on XFS, the boot id stays the same', 'power', 2, 2);
testRounds('power losses on XFS, with a new boot id', 'power', 3, 2);
testRounds('power losses on ext4 that has the bytes alone', 'power', 4, 2);
