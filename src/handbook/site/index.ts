/** Local web sites with a known latency, in a process of their own. */
export type { Failure, SiteOptions } from './page';
export { type Site, startSite } from './site';
export type { SiteStats } from './site-process';
