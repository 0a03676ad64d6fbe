/** `tslab-parallel/handbook`: what the handbook explains with. What runs, records and draws is in `tslab-parallel`. */
export {
  type Check,
  type Claim,
  type ClaimRow,
  type ClaimTable,
  check,
  claim,
  claims,
  type Expectation,
  type Finding,
} from './claims';
export { PythonError, type PythonOptions, type PythonRun, python } from './python';
export {
  type SimulateOptions,
  Simulation,
  type SimulationItem,
  type SimulationStep,
  seededRandom,
  simulate,
} from './simulate';
export { type Failure, type Site, type SiteOptions, type SiteStats, startSite } from './site';
export {
  loopDelay,
  memory,
  type Sample,
  type Samples,
  type Watch,
  watchLoopDelay,
  watchMemory,
} from './watch';
