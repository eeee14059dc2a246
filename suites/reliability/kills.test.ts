import { testRounds } from './few-rounds.ts';

testRounds('kill -9 under load', 'kills', 0, 5);
