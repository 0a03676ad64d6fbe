export type { Call } from './call';
export { availableCores } from './cores';
export type { CallOptions, MapOptions, PoolOptions, WorkerContext } from './options';
export { type ParmapOptions, parmap } from './parmap';
export { createPool, type Pool } from './pool';
export { Run } from './run';
export { type RunOn, type RunOnOptions, runOn } from './run-on';
