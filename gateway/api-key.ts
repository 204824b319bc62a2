/**
 * What an API key looks like: `kv_`, 256 random bits in hex, and a checksum by which secret
 * scanners can tell a key from a look-alike, and we a typo from an unknown key, without asking
 * anybody. The expression for scanners: `kv_[0-9a-f]{72}`.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { KeyMark } from '../ledger/ledger.js';

const CHECKSUM_DIGITS = 8;

/** `kv_` + 64 hex digits + 8 of their checksum. */
export function makeApiKey(random: (bytes: number) => Buffer = randomBytes): string {
  const secret = random(32).toString('hex');
  return `kv_${secret}${checksumOf(secret)}`;
}

/** True for what `makeApiKey` makes, whether or not anybody knows it. */
export function isApiKey(text: string): boolean {
  const [, secret, checksum] = /^kv_([0-9a-f]{64})([0-9a-f]{8})$/.exec(text) ?? [];
  return secret !== undefined && checksum === checksumOf(secret);
}

/** Meant to be one of ours, and mistyped or cut off. Keys of other forms may be in the ledger. */
export function isMistyped(text: string): boolean {
  return /^kv_[0-9a-f]{24,}$/i.test(text) && !isApiKey(text);
}

/** Lower-case hex of the SHA-256, as the ledger keeps it: keys are 256 bits, so no salt is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** What the ledger learns of a key: its hash, and `kv_3f9a…` for its holder to know it again. */
export function markOf(key: string): KeyMark {
  return { hash: hashApiKey(key), hint: `${key.slice(0, 7)}…` };
}

function checksumOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, CHECKSUM_DIGITS);
}
