/**
 * Many machines: the same map, its batches in a BullMQ queue on Redis. Nothing of it is loaded before a cluster is asked
 * for.
 */
import { provideCluster } from '../helper/pool/engine';

provideCluster((options) => new (require('./cluster') as typeof import('./cluster')).Cluster(options));

/** A machine's part, for the command line. */
export const machine = () => ({
  ...(require('./machine') as typeof import('./machine')),
  ...(require('./secret') as typeof import('./secret')),
});
