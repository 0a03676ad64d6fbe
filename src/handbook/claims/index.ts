/** Holds what a text says against what this run measured. */
export { CHECK_MIME, type Check, check, type Expectation, type Verdict } from './check';
export { CLAIM_MIME, type Claim, claim, type Finding, sawPython } from './claim';
export { type ClaimRow, type ClaimTable, claims } from './claims';
