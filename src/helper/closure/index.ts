import './cells';

export { type AnyFunction, type Capture, capture, contentOf, importsOf } from './capture';
export { type EncodeOptions, encode } from './encode';
export { CaptureError } from './error';
export { acorn } from './lazy';
export type { Part } from './parts';
export { decode, Reviver } from './reviver';
