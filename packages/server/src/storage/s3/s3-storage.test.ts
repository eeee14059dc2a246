import { describeStorage } from '../test-contract.ts';
import { makeBucket, withSeaweed } from './test-bucket.ts';

describeStorage('s3', makeBucket, withSeaweed);
