import { testRuns } from './few-runs.ts';

// Invariants 1, 2, 3, 4, 6, 7
testRuns('memory', 150);
