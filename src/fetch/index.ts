export { RequestError, type RequestErrorCode } from './errors';
export { type BodyOf, fanOut, type ResultOf } from './fan-out';
export type { Entry, FanOutOptions } from './options';
export type { Failure, SiteOptions } from './page';
export type { Fetched } from './request';
export { type Site, startSite } from './site';
export type { SiteStats } from './site-process';
export type { FetchLike, Transport } from './transport';
