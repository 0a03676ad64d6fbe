import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** How many threads can really run at once here: the cores this process may use, within its container's quota. */
export function availableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cgroupQuota())));
}

/** Cores that Linux's control groups (version 2, then 1) grant; Infinity where there is no limit or no such thing. */
function cgroupQuota(): number {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  const [quota, period] =
    read('/sys/fs/cgroup/cpu.max')?.split(' ') ??
    [read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'), read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')].map(String);
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}
