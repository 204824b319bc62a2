/**
 * Sealing of addresses and credentials (L-5): AES-256-GCM, a fresh nonce each, bound to where it
 * belongs, so that a sealed value moved to another row does not open.
 * The first key seals, all open. A key's id is stored with what it sealed and is no secret.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export interface SealKey {
  readonly id: string;
  readonly key: Buffer;
}

/** At least one; the first seals. */
export type SealKeys = readonly [SealKey, ...SealKey[]];

const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
const HOW = `Write KAVACH_SEAL_KEYS as id:base64[,id:base64…], each ${String(KEY_BYTES)} bytes: \`echo "k1:$(openssl rand -base64 32)"\` makes one.`;

/** `k2:<base64>,k1:<base64>`. Throws without repeating any of it; the error says how to make one. */
export function parseSealKeys(text: string): SealKeys {
  const keys = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each, i): SealKey => {
      const [, id, secret] = /^([\w.-]{1,32}):([A-Za-z0-9+/]+=*)$/.exec(each) ?? [];
      const key = Buffer.from(secret ?? '', 'base64');
      if (id === undefined || key.length !== KEY_BYTES) {
        throw new Error(`Seal key ${String(i + 1)} is not readable. ${HOW}`);
      }
      return { id, key };
    });
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error(`There is no seal key. ${HOW}`);
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new Error(`Two seal keys have the same id. ${HOW}`);
  }
  return [first, ...rest];
}

/** A new key in the form `parseSealKeys` reads. */
export function createSealKey(id = `k${randomBytes(3).toString('hex')}`): string {
  return `${id}:${randomBytes(KEY_BYTES).toString('base64')}`;
}

/** What AES-256-GCM makes of a text, and opens again where nothing was changed. */
export interface Enciphered {
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly body: Buffer;
}

/** `boundTo` is not kept: whoever opens it has to know it. */
export function encipher(key: Buffer, plain: Uint8Array, boundTo: string): Enciphered {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(boundTo));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { nonce, tag: cipher.getAuthTag(), body };
}

/** Throws where the key, the binding or any byte is another. */
export function decipher(key: Buffer, { nonce, tag, body }: Enciphered, boundTo: string): Buffer {
  const opened = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(boundTo))
    .setAuthTag(tag);
  return Buffer.concat([opened.update(body), opened.final()]);
}

/** `belongsTo` names the place of the value; opening it elsewhere fails. */
export function seal(keys: SealKeys, plain: string, belongsTo: string): string {
  const [{ id, key }] = keys;
  const { nonce, tag, body } = encipher(key, Buffer.from(plain), belongsTo);
  return `${id}:${Buffer.concat([nonce, tag, body]).toString('base64')}`;
}

/** Throws when the key is gone, or the value was changed or belongs elsewhere. */
export function unseal(keys: SealKeys, sealed: string, belongsTo: string): string {
  const at = sealed.indexOf(':');
  const id = sealed.slice(0, at);
  const key = keys.find((each) => each.id === id)?.key;
  if (key === undefined) {
    throw new Error(`Seal key ${id} is needed to open ${belongsTo}; add it to KAVACH_SEAL_KEYS.`);
  }
  const bytes = Buffer.from(sealed.slice(at + 1), 'base64');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  try {
    return decipher(key, { nonce, tag, body }, belongsTo).toString('utf8');
  } catch {
    throw new Error(
      `What is sealed for ${belongsTo} does not open with key ${id}: it was changed.`,
    );
  }
}

/** The same target is the same reference, and a reference gives nothing away without the key. */
export function destinationReference(key: Buffer, target: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(target)).digest('hex').slice(0, 32);
}
