import { testPoints } from './point-tests.ts';

// Invariants 1, 2, 3, 4, 6
testPoints('shared', 'PostgreSQL and a shared folder');
