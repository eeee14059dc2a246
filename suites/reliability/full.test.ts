import { testRounds } from './few-rounds.ts';

testRounds('a disk that is filled', 'full', 0, 2);
testRounds('a disk with the database alone that is filled', 'full', 3, 1);
