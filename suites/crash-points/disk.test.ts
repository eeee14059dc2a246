import { testPoints } from './point-tests.ts';

// Invariants 1, 2, 3, 4, 6
testPoints('disk', 'SQLite and a disk');
