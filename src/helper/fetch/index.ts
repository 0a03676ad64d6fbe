export { RequestError, type RequestErrorCode } from './errors';
export { type BodyOf, fanOut, type ResultOf } from './fan-out';
export type { Entry, FanOutOptions } from './options';
export type { Fetched } from './request';
export type { FetchLike, Transport } from './transport';
