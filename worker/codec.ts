/**
 * An optional seal over everything that Temporal's server stores of our workflows: AES-256-GCM with
 * a ring of keys, in the form that Temporal's own samples use (`binary/encrypted`).
 *
 * Y-1. The first key seals, all open; a payload names its key. A key's id is no secret.
 * Y-2. What was not sealed is left as it is, so that histories from before stay readable.
 * Y-3. No error repeats anything of a payload or a key.
 */
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import {
  decipher,
  encipher,
  NONCE_BYTES,
  parseSealKeys,
  TAG_BYTES,
  type SealKeys,
} from '../ledger/seal.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Failures' messages and stack traces are sealed, too; also what the bundle of workflows needs. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

/** A payload that does not open. Its message names the key's id and the next step. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** What Client, Worker and replays need, all of them the same. */
export function createDataConverter(codec: PayloadCodec): DataConverter {
  return { payloadCodecs: [codec], failureConverterPath: FAILURE_CONVERTER };
}

/** `id:base64,…`, as the keys of the ledger are written. Throws a CodecError without any of it. */
export function parseCodecKeys(text: string): SealKeys {
  try {
    return parseSealKeys(text);
  } catch {
    throw new CodecError(
      'KAVACH_CODEC_KEYS is not readable: write id:base64[,id:base64…] with keys of 32 bytes; ' +
        '`kavach seal-key` makes one.',
    );
  }
}

export function createCodec(keys: SealKeys): PayloadCodec {
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  const open = (payload: Payload): Payload => {
    if (textOf(payload.metadata?.['encoding']) !== ENCODING) return payload;
    const id = textOf(payload.metadata?.[KEY_ID]);
    const key = byId.get(id);
    if (key === undefined) {
      throw new CodecError(
        `Codec key ${JSON.stringify(id.slice(0, 40))} is needed to open a payload; add it to KAVACH_CODEC_KEYS.`,
      );
    }
    return unsealPayload(payload.data ?? new Uint8Array(), id, key);
  };
  return {
    encode: (payloads) => Promise.resolve(payloads.map((payload) => sealPayload(payload, keys[0]))),
    decode: (payloads) => Promise.resolve().then(() => payloads.map(open)),
  };
}

function sealPayload(payload: Payload, { id, key }: SealKeys[0]): Payload {
  const { nonce, body, tag } = encipher(key, PayloadMessage.encode(payload).finish(), id);
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([nonce, body, tag]),
  };
}

function unsealPayload(sealed: Uint8Array, id: string, key: Buffer): Payload {
  try {
    const bytes = Buffer.from(sealed);
    const tag = bytes.subarray(bytes.length - TAG_BYTES);
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
    const { metadata, data } = PayloadMessage.decode(decipher(key, { nonce, tag, body }, id));
    return { metadata, data };
  } catch {
    throw new CodecError(
      `A payload does not open with codec key ${JSON.stringify(id)}: it was changed, or ` +
        'KAVACH_CODEC_KEYS has another key under this id.',
    );
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
