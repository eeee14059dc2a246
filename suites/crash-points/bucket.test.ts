import { testPoints } from './point-tests.ts';

// Invariants 1, 2, 3, 4, 6
testPoints('bucket', 'PostgreSQL and a bucket');
