/** What the providers' signatures have in common. */
import { createHmac } from 'node:crypto';

/** The headers and the untouched body of a callback. */
export interface ReceivedCallback {
  /** Undefined where it is missing or empty. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  /** The query with its `?`, or nothing. */
  readonly search: string;
  /** Epoch ms at which it came. */
  readonly now: number;
}

export function hmac(
  algorithm: 'sha1' | 'sha256',
  key: string | Buffer,
  parts: readonly (string | Buffer)[],
): Buffer {
  const sum = createHmac(algorithm, key);
  for (const part of parts) sum.update(part);
  return sum.digest();
}
