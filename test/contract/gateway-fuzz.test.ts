/**
 * Spec §8 at every operation of the OpenAPI document: whatever is sent, the gateway answers, never
 * with 5xx, says what is wrong as a problem, and a refusal has changed nothing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bearer, realLedger } from './gateway-real-kit.js';
import {
  bodySchemaOf,
  fitting,
  junk,
  nearlyFitting,
  operationsOf,
  pathOf,
  textOf,
  type Listed,
} from './openapi-kit.js';
import { furnish, idFor, startWhole, type Organisation } from './openapi-organisation.js';

const RUNS = Number(process.env['KAVACH_FUZZ_RUNS'] ?? 12);
const real = realLedger();

interface Shot {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

const segment = fc.oneof(
  fc.constantFrom('.', '..', '%', '%zz', '%00', '%ff', '%E0%A4%A', ';', '__proto__', '\u2028'),
  fc.constantFrom('a', 'a%2Fb', 'x'.repeat(300), '%F0%9F%98%80', 'stop', '-1', 'null'),
  fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .map((text) => encodeURIComponent(text.toWellFormed())),
);
const queryValue = fc.oneof(
  fc.constantFrom('', '0', '-1', '1e3', '9'.repeat(30), 'true', 'maybe', '\0', '[]', 'bnVsbA'),
  fc.constantFrom(
    'WzFd',
    'WzEsMl0',
    'WzEsImEiXQ',
    'eyJhIjoxfQ',
    '1',
    '1000',
    'agent',
    'x'.repeat(3_000),
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const header = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  { 'content-type': 'application/json' },
  { 'content-type': 'text/plain; charset=utf-16' },
  { 'content-type': 'application/xml' },
  { 'content-type': ';;' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br' },
  { 'content-encoding': 'identity' },
  { 'x-request-id': 'a b<script>' },
  { 'x-request-id': 'q'.repeat(500) },
  { 'idempotency-key': 'one' },
  { 'idempotency-key': 'two' },
  { 'idempotency-key': ' ' },
  { 'idempotency-key': 'k'.repeat(300) },
  { accept: 'image/png' },
);

function shots(operation: Listed, owner: Organisation): fc.Arbitrary<Shot> {
  const { parameters = [] } = operation;
  const schema = bodySchemaOf(operation);
  const json = (value: unknown): string => JSON.stringify([value]).slice(1, -1);
  const body: fc.Arbitrary<Shot['body']> =
    operation.method === 'GET'
      ? fc.constant(undefined)
      : schema === undefined
        ? fc.oneof(junk, fc.constantFrom('act=acknowledge&t=x', 'by=%00&act=resolve&t=%ff'))
        : fc.oneof(
            { arbitrary: fitting(schema).map(json), weight: 3 },
            { arbitrary: nearlyFitting(schema).map(json), weight: 4 },
            { arbitrary: junk, weight: 2 },
          );
  const ids = fc.oneof(
    { arbitrary: fc.constant(encodeURIComponent(idFor(owner, operation.path))), weight: 2 },
    { arbitrary: segment, weight: 3 },
  );
  const names = parameters.filter((each) => each.in === 'query').map(({ name }) => name);
  const query = fc.dictionary(fc.constantFrom('unknown', ...names), queryValue, {
    maxKeys: 3,
    noNullPrototype: true,
  });
  return fc.record({ ids, agent: segment, query, headers: header, body }).map((given) => ({
    path: `${withRaw(operation, given)}?${new URLSearchParams(given.query).toString()}`,
    headers: given.headers,
    body: given.body,
  }));
}

/** Parameters as they stand on the wire, however they are encoded. */
function withRaw(operation: Listed, { ids, agent }: { ids: string; agent: string }): string {
  return pathOf(operation, { id: 'ID-HERE', agent: 'AGENT-HERE' })
    .replace('ID-HERE', () => ids)
    .replace('AGENT-HERE', () => agent);
}

/** Nobody's: empty configurations, which reading makes. */
const rows = async () => {
  const { idempotent_answer: _answers, scope_configuration: _scopes, ...rest } = await real.dump();
  const [scopes] = await real.sql(
    `select coalesce(jsonb_agg(to_jsonb(t) order by org, scope), '[]')::text as all
     from scope_configuration t where rev > 0`,
  );
  return { ...rest, scopes: scopes?.['all'] };
};

describe('fuzzing from the OpenAPI document', () => {
  test(`${String(RUNS)} requests an operation: no 5xx, problems in order, refusals change nothing`, async () => {
    const owner = await furnish(real, 'fuzzed');
    const { document, gateway, lines } = await startWhole(real);
    const key = await real.key({ org: 'fuzzed' });
    let before = await rows();
    const statuses = new Map<number, number>();
    for (const operation of operationsOf(document)) {
      const property = fc.asyncProperty(shots(operation, owner), async (shot) => {
        const response = await fetch(gateway.url + shot.path, {
          method: operation.method,
          headers: { ...bearer(key), ...shot.headers },
          ...(shot.body === undefined ? {} : { body: shot.body }),
          redirect: 'manual',
        });
        const text = await textOf(response);
        const { status, headers } = response;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect(status, text).toBeLessThan(500);
        expect(headers.get('x-request-id')).toMatch(/^[\w-]{4,64}$/);
        const isPage = headers.get('content-type')?.startsWith('text/html') === true;
        const problem = status >= 400 && !isPage ? readProblem(text, headers) : undefined;
        // Usage of whoever may not go on is stored, then refused (K3).
        const isStored = problem?.['reason'] !== undefined;
        const after = await rows();
        if (status >= 400 && !isStored) expect(after).toEqual(before);
        before = after;
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    }
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    // It was both taken and refused: a fuzz that only bounces off proves nothing.
    const counted = (low: number, high: number): number =>
      [...statuses].reduce((sum, [code, n]) => (code >= low && code < high ? sum + n : sum), 0);
    expect(counted(200, 300)).toBeGreaterThan(30);
    expect(counted(400, 500)).toBeGreaterThan(30);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  }, 300_000);
});

function readProblem(text: string, headers: Headers): Record<string, unknown> {
  expect(headers.get('content-type')).toBe('application/problem+json');
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(problem).toMatchObject({
    title: expect.any(String) as string,
    detail: expect.any(String) as string,
    request_id: headers.get('x-request-id'),
  });
  return problem;
}
