import { checkWhole } from '../../helper/arguments';

/**
 * A function that returns numbers from 0 to below 1, the same ones for the same seed: chance that can be repeated.
 * (Tommy Ettinger's mulberry32, which has a period of 2^32: good for stories, not for secrets.)
 * @param seed a whole number, 0 or more
 */
export function seededRandom(seed: number): () => number {
  checkWhole('seed', seed, 0);
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
