import { performance } from 'node:perf_hooks';

// `performance.now()` starts at 0 in each thread and process; `process.hrtime` is the system's monotonic clock, the
// same for all of them on one machine. Read both once, then only the faster one.
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the system's monotonic clock, which all threads and processes of this machine share. */
export function now(): number {
  return performance.now() + offsetMs;
}
