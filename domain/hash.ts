/**
 * SHA-256 (FIPS 180-4) in plain code, for ids only: workflows have no node:crypto, and ids must
 * be the same everywhere. Never for secrets or signatures: those use the platform's.
 */
import { utf8Bytes } from './utf8.js';

/** The first 32 bits of the fractional parts of the `power`-th roots of the first primes. */
function rootFractions(count: number, power: number): Uint32Array {
  const fractions = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate += 1) {
    if (!isPrime(candidate)) continue;
    fractions[found] = rootFraction(BigInt(candidate), power);
    found += 1;
  }
  return fractions;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) {
    if (value % divisor === 0) return false;
  }
  return true;
}

/** `floor(root(prime) × 2^32) mod 2^32`, found bit by bit: engines may differ in `cbrt`. */
function rootFraction(prime: bigint, power: number): number {
  const target = prime << BigInt(32 * power);
  let root = 0n;
  for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** BigInt(power) <= target) root += bit;
  }
  return Number(root & 0xffffffffn);
}

interface Constants {
  readonly initial: Uint32Array;
  readonly round: Uint32Array;
}

let computed: Constants | undefined;

/** At the first use: a module's top runs once for every workflow, and few of them hash anything. */
function constants(): Constants {
  return (computed ??= { initial: rootFractions(8, 2), round: rootFractions(64, 3) });
}

/** 64 lower-case hex digits of the text's UTF-8 (lone surrogates as U+FFFD). */
export function sha256Hex(text: string): string {
  const words = paddedWords(utf8Bytes(text));
  const state = Uint32Array.from(constants().initial);
  const schedule = new Uint32Array(64);
  for (let block = 0; block < words.length; block += 16) {
    schedule.set(words.subarray(block, block + 16));
    compress(state, schedule);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** The message, a one bit, zeros, and the length in bits, in whole blocks of 16 words. */
function paddedWords(bytes: readonly number[]): Uint32Array {
  const words = new Uint32Array(Math.ceil((bytes.length + 9) / 64) * 16);
  [...bytes, 0x80].forEach((byte, i) => {
    words[i >> 2] = at(words, i >> 2) | (byte << (24 - (i % 4) * 8));
  });
  words[words.length - 2] = Math.floor(bytes.length / 2 ** 29);
  words[words.length - 1] = bytes.length * 8;
  return words;
}

function compress(state: Uint32Array, w: Uint32Array): void {
  const { round } = constants();
  for (let t = 16; t < 64; t += 1) {
    const [early, late] = [at(w, t - 15), at(w, t - 2)];
    const sigma0 = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const sigma1 = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    w[t] = at(w, t - 16) + sigma0 + at(w, t - 7) + sigma1;
  }
  const v = Uint32Array.from(state);
  for (let t = 0; t < 64; t += 1) {
    const [a, b, c, e, f, g] = [at(v, 0), at(v, 1), at(v, 2), at(v, 4), at(v, 5), at(v, 6)];
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const sum1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const sum0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const first = (at(v, 7) + sum1 + choice + at(round, t) + at(w, t)) >>> 0;
    v.copyWithin(1, 0, 7);
    v[0] = first + sum0 + majority;
    v[4] = at(v, 4) + first;
  }
  v.forEach((word, i) => {
    state[i] = at(state, i) + word;
  });
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** Indices here are always inside; the default only pleases the type. */
function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}
