import { testPowerLosses } from './layout-test.ts';

testPowerLosses('apart', 51);
