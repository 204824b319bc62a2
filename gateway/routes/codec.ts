/**
 * POST /codec/encode and /codec/decode: what Temporal's command line and Web UI ask to show sealed
 * payloads, in Temporal's own shape. Whoever may decode may read everything, of all
 * organisations: only admin keys of whoever runs the service.
 */
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { z } from 'zod';
import { codecAnswer } from '../answers.js';
import { readJson } from '../body.js';
import type { Env } from '../env.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { forbidden } from '../rights.js';
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

const translate = <Verb extends 'encode' | 'decode'>(verb: Verb) =>
  ({
    ...{ method: 'post', path: `/codec/${verb}`, id: `${verb}Payloads` },
    summary: `Temporal's codec protocol: ${verb} payloads`,
    scopes: ['admin'],
    itself: { body: codecBody },
    answers: { 200: { description: 'In the same order', schema: codecAnswer } },
    problems: [400, 413, 415, 422],
  }) as const satisfies Operation;

/** Nothing without a codec. A browser's preflight carries no key and is answered before. */
export function addCodecRoutes(
  routes: Routes,
  gateway: Gateway,
  authenticated: MiddlewareHandler<Env>,
): void {
  const { codec } = gateway;
  if (codec === undefined) return;
  routes.app.use(
    '/codec/*',
    cors({
      origin: [...codec.origins],
      allowMethods: ['POST'],
      allowHeaders: ['authorization', 'content-type', 'x-namespace'],
      maxAge: 600,
    }),
    authenticated,
  );
  const route = (
    verb: 'encode' | 'decode',
    work: (payloads: RawPayload[]) => Promise<RawPayload[]>,
  ): void => {
    routes.add(translate(verb), async (c) => {
      if (c.get('key').org !== gateway.homeOrg) {
        throw forbidden('Sealed payloads are opened by whoever runs the service only.');
      }
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
  route('encode', (payloads) => codec.encode(payloads));
  route('decode', (payloads) => codec.decode(payloads));
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
