/** `/openapi.json` and `/docs`: valid, and about every route there is, no more and no less. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../gateway/app.js';
import { createCallbackReaders } from '../../gateway/callbacks/index.js';
import type { OpenApiDocument } from '../../gateway/openapi.js';
import { DEFAULT_GATEWAY_POLICY, type Gateway } from '../../gateway/options.js';
import { createSessions } from '../../gateway/sessions.js';
import { operationsOf } from './openapi-kit.js';

const codec = {
  encode: () => Promise.resolve([]),
  decode: () => Promise.resolve([]),
  origins: ['https://temporal.example'],
};
/** As the server builds it, without a ledger: nothing here asks it. */
const app = createApp({
  ...{ ledger: {}, policy: DEFAULT_GATEWAY_POLICY, codec, homeOrg: 'default' },
  sessions: createSessions('a key of 32 characters or so, long'),
  push: { ledger: {}, ticketMs: 1 },
  callbacks: createCallbackReaders({ resendSecrets: ['whsec_x'], pagerdutySecrets: ['x'] }),
  ...{ now: () => 0, newId: () => 'an-id-of-mine', isDraining: () => false },
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
} as unknown as Gateway);

const read = async (): Promise<OpenApiDocument> =>
  (await (await app.request('/openapi.json')).json()) as OpenApiDocument;

const reference = z.strictObject({ $ref: z.string().startsWith('#/components/') });
const schema = z.union([
  reference,
  z.looseObject({ $ref: z.undefined().optional() }).refine((given) => {
    z.fromJSONSchema(given as unknown as z.core.JSONSchema.JSONSchema);
    return true;
  }),
]);
const media = z.record(z.string().regex(/^[a-z]+\/[a-z+.-]+$/), z.strictObject({ schema }));
const response = z.strictObject({ description: z.string().min(1), content: media.optional() });

/** The parts of OpenAPI 3.1 that we write; anything else is a mistake. */
const openApi31 = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  paths: z.record(
    z.string().regex(/^\/(?:[\w.-]+|\{\w+\})(?:\/(?:[\w.-]+|\{\w+\}))*$/),
    z.partialRecord(
      z.enum(['get', 'post', 'put', 'patch', 'delete']),
      z.strictObject({
        operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
        summary: z.string().min(1),
        description: z.string().optional(),
        parameters: z
          .array(
            z.strictObject({
              name: z.string(),
              in: z.enum(['path', 'query', 'header']),
              required: z.boolean(),
              description: z.string().optional(),
              schema,
            }),
          )
          .optional(),
        requestBody: z.strictObject({ required: z.boolean(), content: media }).optional(),
        responses: z.record(z.string().regex(/^[2-5]\d\d$/), z.union([reference, response])),
        security: z.array(z.strictObject({ apiKey: z.array(z.never()) })),
        'x-kavach-scopes': z.array(z.string()),
        'x-kavach-agent-keys': z.boolean(),
      }),
    ),
  ),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal('http'), scheme: z.string(), description: z.string() }),
    ),
    schemas: z.record(z.string(), schema),
    responses: z.record(z.string(), response),
  }),
});

describe('the document', () => {
  test('is OpenAPI 3.1, with schemas that compile', async () => {
    const parsed = openApi31.safeParse(await read());
    expect(parsed.error?.issues).toBeUndefined();
  });

  test('the check sees what it is there for', async () => {
    const document = structuredClone(await read()) as unknown as {
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    const live = document.paths['/healthz']?.['get'];
    if (live === undefined) throw new Error('There is no /healthz.');
    live.responses['200'] = { content: {} };
    expect(openApi31.safeParse(document).success).toBe(false);
  });

  test('every reference leads somewhere, every operation has a name of its own', async () => {
    const document = await read();
    const text = JSON.stringify(document);
    for (const [, reference = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = reference
        .split('/')
        .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document);
      expect(found, reference).toBeDefined();
    }
    const ids = operationsOf(document).map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the parameters of a path are those in it', async () => {
    for (const { path, parameters = [], operationId } of operationsOf(await read())) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((each) => each.in === 'path').map(({ name }) => name);
      expect(declared, operationId).toEqual(inPath);
    }
  });

  test('it has every route of the app, and the app has every route of it', async () => {
    const described = operationsOf(await read()).map(({ method, path }) => `${method} ${path}`);
    const served = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`);
    expect(new Set(described)).toEqual(new Set(served));
    expect(described.length).toBeGreaterThan(25);
  });

  test('what needs a key says which scopes, and only what is for everybody needs none', async () => {
    const open = operationsOf(await read()).filter(({ security }) => security.length === 0);
    expect(open.map(({ path }) => path)).toEqual([
      ...[
        '/healthz',
        '/readyz',
        '/alerts/{id}',
        '/alerts/{id}',
        '/unsubscribe',
        '/unsubscribe',
        '/openapi.json',
        '/docs',
      ],
      // Signed by their providers, or with a session of people.
      ...['/callbacks/resend', '/callbacks/pagerduty'],
      ...['/login', '/login', '/logout', '/agents', '/agents'],
      // With a ticket.
      '/v1/push',
    ]);
  });
});

test('the page shows every operation, and its policy lets nothing in but its own style', async () => {
  const answer = await app.request('/docs');
  const text = await answer.text();
  for (const { operationId, method, path } of operationsOf(await read())) {
    expect(text).toContain(`id="${operationId}"`);
    expect(text).toContain(`<code>${method} ${path}</code>`);
  }
  expect(text).not.toMatch(/<script|src=|https?:\/\//);
  const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = answer.headers.get('content-security-policy');
  expect(policy).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
});
