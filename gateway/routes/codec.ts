/**
 * POST /codec/encode and /codec/decode: what Temporal's command line and Web UI ask to show sealed
 * payloads, in Temporal's own shape. Whoever may decode may read everything: admin keys only.
 */
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { z } from 'zod';
import { readJson } from '../body.js';
import type { App, Env } from '../env.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput } from '../schemas.js';

/** A payload as Temporal's packages have it. */
export interface RawPayload {
  readonly metadata?: Record<string, Uint8Array> | null;
  readonly data?: Uint8Array | null;
}

/** The port: whoever starts the gateway has the keys. */
export interface Codec {
  encode(payloads: RawPayload[]): Promise<RawPayload[]>;
  /** Rejects when one does not open; its message is safe to show. */
  decode(payloads: RawPayload[]): Promise<RawPayload[]>;
  /** Origins of Web UIs that may ask from a browser. */
  readonly origins: readonly string[];
}

const base64 = z.base64('expected base64');
const codecBody = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }))
    .max(10_000),
});

/** Nothing without a codec. A browser's preflight carries no key and is answered before. */
export function addCodecRoutes(
  app: App,
  gateway: Gateway,
  authenticated: MiddlewareHandler<Env>,
): void {
  const { codec } = gateway;
  if (codec === undefined) return;
  app.use(
    '/codec/*',
    cors({
      origin: [...codec.origins],
      allowMethods: ['POST'],
      allowHeaders: ['authorization', 'content-type', 'x-namespace'],
      maxAge: 600,
    }),
    authenticated,
  );
  const route = (path: string, work: (payloads: RawPayload[]) => Promise<RawPayload[]>): void => {
    app.post(path, async (c) => {
      requireAdmin(gateway, c, 'read or write sealed payloads');
      const body = await readJson(c.env.incoming, gateway.policy.ingestLimit);
      const { payloads } = parseInput(codecBody, body);
      try {
        return c.json({ payloads: (await work(payloads.map(toRaw))).map(fromRaw) });
      } catch (error) {
        const detail = error instanceof Error ? error.message : 'A payload cannot be read.';
        throw new Problem({ status: 422, title: 'Unreadable payload', detail }, { cause: error });
      }
    });
  };
  route('/codec/encode', (payloads) => codec.encode(payloads));
  route('/codec/decode', (payloads) => codec.decode(payloads));
}

type WirePayload = z.infer<typeof codecBody>['payloads'][number];

function toRaw({ metadata, data }: WirePayload): RawPayload {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  return {
    ...(metadata === undefined
      ? {}
      : {
          metadata: Object.fromEntries(
            Object.entries(metadata).map(([name, text]) => [name, bytes(text)]),
          ),
        }),
    ...(data === undefined ? {} : { data: bytes(data) }),
  };
}

function fromRaw({ metadata, data }: RawPayload) {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)]),
    ),
    data: text(data ?? new Uint8Array()),
  };
}
