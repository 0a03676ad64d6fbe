export { type Advice, type AdviceEvidence, type AdviceOptions, advise } from './advise';
