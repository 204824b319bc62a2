/** Chance from a seed, so that a play can be repeated: the same seed draws the same numbers. */

/** Answers the next number in [0, 1). */
export type Random = () => number;

/** Mulberry32: 32 bits of state, good enough to shuffle a demo, never for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
