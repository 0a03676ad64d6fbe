export { type ProgressBar, showProgress } from './bar';
export { type TrackOptions, track } from './track';
