/**
 * The OpenAPI 3.1 document of the routes: paths, what they take and answer by their zod schemas,
 * which scopes a key needs, and the refusals that every route has.
 */
import { z } from 'zod';
import { problemSchema } from './answers.js';
import { isRepeatable, type Answer, type Operation } from './operation.js';

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
  readonly responses: Readonly<Record<string, object>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** The key needs one of them. */
  readonly 'x-kavach-scopes': readonly string[];
  readonly 'x-kavach-agent-keys': boolean;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: object;
}

const DESCRIPTION =
  'Keeps AI agents inside their budgets. Send the API key as `Authorization: Bearer <key>`. ' +
  'Errors are problem+json (RFC 9457) and name the place of the fault. Money is in nano-USD, ' +
  'times are epoch milliseconds unless said otherwise.';

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The body or a header cannot be read',
  401: 'No such API key',
  403: 'The key may not do this',
  404: 'There is no such thing',
  409: 'It has ended, or the same request is under way',
  413: 'The body is too large',
  415: 'The body is packed in a way that is not read here',
  422: 'Understood, but wrong: nothing was applied',
  426: 'It is for WebSockets',
  429: 'Too many requests, or not now: go on after Retry-After',
  503: 'Not now: try again after Retry-After',
};

export function openApiOf(operations: readonly Operation[]): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of operations) {
    const path = (paths[openApiPath(operation.path)] ??= {});
    path[operation.method] = operationOf(operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kavach', version: '1', description: DESCRIPTION },
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `kv_…`.' },
      },
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      responses: REFUSED,
    },
  };
}

/** `/v1/alerts/:id{.+}` -> `/v1/alerts/{id}`. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}');
}

function operationOf(operation: Operation): OpenApiOperation {
  const { id, summary, description, scopes, forAgentKeys = false, answers } = operation;
  const parameters = [
    ...parametersOf(operation.params, 'path'),
    ...parametersOf(operation.query, 'query'),
    ...(isRepeatable(operation) ? [IDEMPOTENCY_KEY] : []),
  ];
  const body = bodyOf(operation);
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)]),
  );
  return {
    ...{ operationId: id, summary },
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...refusalsOf(operation), ...responses },
    security: scopes === 'public' ? [] : [{ apiKey: [] }],
    'x-kavach-scopes': scopes === 'public' ? [] : scopes,
    'x-kavach-agent-keys': forAgentKeys,
  };
}

const IDEMPOTENCY_KEY: OpenApiParameter = {
  ...{ name: 'Idempotency-Key', in: 'header', required: false },
  description: 'The same key with the same request is carried out once; kept for 24 hours.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
};

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): OpenApiParameter[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(
    ([name, field]) => {
      const { description, ...rest } = schemaOf(field, 'output') as { description?: string };
      return {
        ...{ name, in: place, required: place === 'path' || !mayBeAbsent(field) },
        ...(description === undefined ? {} : { description }),
        schema: rest,
      };
    },
  );
}

function bodyOf({ body, itself }: Operation): OpenApiOperation['requestBody'] {
  const schema = body ?? itself?.body;
  if (schema === undefined) return undefined;
  const type = itself?.type ?? 'application/json';
  return {
    required: !schema.safeParse({}).success,
    content: { [type]: { schema: schemaOf(schema, 'input') } },
  };
}

function responseOf({ description, schema, type = 'application/json' }: Answer): object {
  if (schema === undefined && type === 'application/json') return { description };
  const content = schema === undefined ? { type: 'string' } : schemaOf(schema, 'output');
  return { description, content: { [type]: { schema: content } } };
}

function refusalsOf(operation: Operation): Record<string, object> {
  const { scopes, params, query, body, problems = [] } = operation;
  const statuses = new Set<number>(problems);
  if (scopes !== 'public') [401, 403, 429, 503].forEach((status) => statuses.add(status));
  if (params !== undefined || query !== undefined || body !== undefined) statuses.add(422);
  if (body !== undefined) [400, 413, 415].forEach((status) => statuses.add(status));
  if (isRepeatable(operation)) statuses.add(409);
  return Object.fromEntries(
    [...statuses].map((status) => [
      String(status),
      { $ref: `#/components/responses/Refused${String(status)}` },
    ]),
  );
}

const REFUSED: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries(REFUSALS).map(([status, description]) => [
    `Refused${status}`,
    {
      description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]),
);

function mayBeAbsent(field: z.ZodType): boolean {
  return field.safeParse(undefined).success;
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
