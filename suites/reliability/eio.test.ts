import { testRounds } from './few-rounds.ts';

testRounds('single calls of the file system fail', 'eio', 0, 2);
testRounds('ext4 is shut down under the running server', 'eio', 1, 2);
