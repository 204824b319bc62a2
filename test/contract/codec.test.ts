/** The payload codec: what it seals, what opens it, and that Client, Worker and replays have it. */
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { NativeConnection, Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Activities } from '../../activities/index.js';
import { payloadCodecOf } from '../../cli/payload-codec.js';
import { replay } from '../../cli/replay.js';
import { createSealKey } from '../../ledger/seal.js';
import { CodecError, createCodec, parseCodecKeys } from '../../worker/codec.js';
import { createLog } from '../../worker/log.js';
import { startWorker } from '../../worker/worker.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const oldKey = createSealKey('old');
const newKey = createSealKey('new');
const codecWith = (...keys: string[]) => createCodec(parseCodecKeys(keys.join(',')));
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown =>
  defaultPayloadConverter.fromPayload(payload as Payload);
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

async function sealedOnce(value: unknown, ...keys: string[]): Promise<Payload> {
  const [sealed] = await codecWith(...keys).encode([payloadOf(value)]);
  if (sealed === undefined) throw new Error('nothing was sealed');
  return sealed;
}

describe('sealing', () => {
  test('any payload comes back as it was', async () => {
    const codec = codecWith(newKey);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), async (values) => {
        const payloads = values.map(payloadOf);
        const back = await codec.decode(await codec.encode(payloads));
        expect(back.map(valueOf)).toEqual(values.map(payloadOf).map(valueOf));
        expect(back.map(({ metadata }) => text(metadata?.['encoding']))).toEqual(
          payloads.map(({ metadata }) => text(metadata?.['encoding'])),
        );
      }),
      { numRuns: 50 },
    );
    expect(valueOf((await codec.decode([payloadOf(undefined)]))[0])).toBeUndefined();
  });

  test('nothing of a payload shows, but for the id of the key', async () => {
    const sealed = await sealedOnce({ secret: 'canary' }, newKey, oldKey);
    expect(text(sealed.data)).not.toContain('canary');
    expect(Object.keys(sealed.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
    expect(text(sealed.metadata?.['encoding'])).toBe('binary/encrypted');
    expect(text(sealed.metadata?.['encryption-key-id'])).toBe('new');
    const again = await sealedOnce({ secret: 'canary' }, newKey);
    expect(Buffer.from(again.data ?? []).equals(Buffer.from(sealed.data ?? []))).toBe(false);
  });

  test('after a rotation the old key opens and the new one seals', async () => {
    const sealed = await sealedOnce(['value'], oldKey);
    const rotated = codecWith(newKey, oldKey);
    expect(valueOf((await rotated.decode([sealed]))[0])).toEqual(['value']);
    expect(text((await rotated.encode([sealed]))[0]?.metadata?.['encryption-key-id'])).toBe('new');
  });

  test('what was never sealed stays readable', async () => {
    const plain = payloadOf({ from: 'before' });
    expect(await codecWith(newKey).decode([plain])).toEqual([plain]);
  });
});

describe('what does not open', () => {
  test('a payload whose key is gone names the key', async () => {
    const sealed = await sealedOnce('canary', oldKey);
    await expect(codecWith(newKey).decode([sealed])).rejects.toThrow(
      'Codec key "old" is needed to open a payload; add it to KAVACH_CODEC_KEYS.',
    );
  });

  test('another key under the same id says so', async () => {
    const sealed = await sealedOnce('canary', oldKey);
    await expect(codecWith(createSealKey('old')).decode([sealed])).rejects.toThrow(
      /does not open with codec key "old"/,
    );
  });

  test('a changed, cut or relabelled payload is refused, each byte of it', async () => {
    const sealed = await sealedOnce('canary', newKey, oldKey);
    const bytes = Buffer.from(sealed.data ?? []);
    const codec = codecWith(newKey, `renamed:${newKey.split(':')[1] ?? ''}`);
    const changed = Array.from(bytes, (_, i) => {
      const copy = Buffer.from(bytes);
      copy[i] = (copy[i] ?? 0) ^ 1;
      return { ...sealed, data: copy };
    });
    const cut = [0, 1, 12, 27, bytes.length - 1].map((n) => ({
      ...sealed,
      data: bytes.subarray(0, n),
    }));
    const metadata = { ...sealed.metadata, 'encryption-key-id': Buffer.from('renamed') };
    for (const bad of [...changed, ...cut, { ...sealed, metadata }]) {
      const failure = await codec.decode([bad]).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CodecError);
      expect(String(failure)).not.toContain('canary');
    }
    expect(valueOf((await codec.decode([sealed]))[0])).toBe('canary');
  });

  test.each(['', 'k1', 'k1:c2hvcnQ=', `${newKey},${newKey}`])('keys written %j', (keys) => {
    expect(() => parseCodecKeys(keys)).toThrow(/^KAVACH_CODEC_KEYS is not readable/);
  });
});

describe('who has it', () => {
  const keys = `${newKey},${oldKey}`;
  const parts = payloadCodecOf({ codec: { keys, origins: ['https://temporal.example'] } });

  test('nobody, where it is not configured', () => {
    expect(payloadCodecOf({})).toEqual({ converter: {}, bundled: {}, endpoint: {} });
  });

  test('the client, and it seals the messages of failures too', () => {
    const client = new Client({ connection: Connection.lazy(), ...parts.converter });
    const { loadedDataConverter } = client.options;
    expect(loadedDataConverter.payloadCodecs).toEqual(parts.converter.dataConverter?.payloadCodecs);
    const failure = loadedDataConverter.failureConverter.errorToFailure(
      new Error('canary'),
      loadedDataConverter.payloadConverter,
    );
    expect(failure.message).toBe('Encoded failure');
    expect(failure.stackTrace).toBeFalsy();
    expect(text(failure.encodedAttributes?.data)).toContain('canary');
  });

  test('both workers', async () => {
    const connection = { close: () => Promise.resolve() } as unknown as NativeConnection;
    vi.spyOn(NativeConnection, 'connect').mockResolvedValue(connection);
    const worker = { run: () => new Promise(() => undefined) } as unknown as Worker;
    const create = vi.spyOn(Worker, 'create').mockResolvedValue(worker);
    await startWorker({
      connection: { address: '127.0.0.1:9' },
      namespace: 'default',
      taskQueue: 'sealed',
      activities: {} as Activities,
      bundle: { codePath: 'none' },
      log: createLog({ level: 'silent', format: 'json' }),
      ...parts.converter,
    });
    const { dataConverter } = parts.converter;
    expect(create.mock.calls.map(([options]) => options.dataConverter)).toEqual([
      dataConverter,
      dataConverter,
    ]);
  });

  test('replays, and the workflows in their bundle', async () => {
    const history = 'test/replay/histories/alert-accepted.json';
    const seen: { options?: ReplayWorkerOptions; code?: string } = {};
    vi.spyOn(Worker, 'runReplayHistory').mockImplementation((options) => {
      seen.options = options;
      const { codePath } = options.workflowBundle as { codePath: string };
      seen.code = readFileSync(codePath, 'utf8');
      return Promise.resolve();
    });
    const env = { KAVACH_DATA_DIR: 'there-is-no-such-folder' };
    await replay(history, { ...env, KAVACH_CODEC_KEYS: keys });
    const [codec] = seen.options?.dataConverter?.payloadCodecs ?? [];
    const opened = await codec?.decode([await sealedOnce('value', oldKey)]);
    expect(valueOf(opened?.[0])).toBe('value');
    expect(seen.code).toContain('encodeCommonAttributes: true');
    await replay(history, env);
    expect(seen.options?.dataConverter).toEqual({});
    expect(seen.code).not.toContain('encodeCommonAttributes: true');
  });

  test.each(['Unknown encoding: binary/encrypted', 'Codec key "old" is needed to open a payload'])(
    'a replay that cannot open its history says so: %s',
    async (message) => {
      vi.spyOn(Worker, 'runReplayHistory').mockRejectedValue(new Error(message));
      await expect(replay('test/replay/histories/alert-accepted.json', {})).rejects.toThrow(
        'The history is sealed: set KAVACH_CODEC_KEYS to the keys of its service',
      );
    },
  );

  test('a replay with keys that cannot be read says so', async () => {
    const history = 'test/replay/histories/alert-accepted.json';
    await expect(replay(history, { KAVACH_CODEC_KEYS: 'none' })).rejects.toThrow(
      /^KAVACH_CODEC_KEYS is not readable/,
    );
  });
});
