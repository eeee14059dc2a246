import { testPowerLosses } from './layout-test.ts';

testPowerLosses('together', 1);
