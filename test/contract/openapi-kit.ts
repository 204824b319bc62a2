/** Reading the OpenAPI document as a client generator does: operations, and inputs that fit them. */
import fc from 'fast-check';
import type { OpenApiDocument, OpenApiOperation } from '../../gateway/openapi.js';

export interface Listed extends OpenApiOperation {
  readonly method: string;
  /** `/v1/alerts/{id}`. */
  readonly path: string;
}

export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
}

export function operationsOf(document: OpenApiDocument): Listed[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** Of the JSON body; undefined where it takes none. */
export function bodySchemaOf(operation: Listed): Schema | undefined {
  return operation.requestBody?.content['application/json']?.schema;
}

/** Values by the name of a member or parameter, wherever it stands. */
export type Known = Readonly<Record<string, unknown>>;

/** The smallest value that fits, with what is known in its place, optional members included. */
export function sampleOf(schema: Schema, known: Known, name = ''): unknown {
  if (name in known) return known[name];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return sampleOf(schema.anyOf[0] ?? {}, known);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([each]) => each in known || schema.required?.includes(each) === true)
          .map(([each, field]) => [each, sampleOf(field, known, each)]),
      );
    case 'array':
      return (schema.minItems ?? 0) === 0 ? [] : [sampleOf(schema.items ?? {}, known)];
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1);
    case 'boolean':
      return true;
    case 'string':
    case undefined:
    default:
      return 'text';
  }
}

/** `/v1/alerts/{id}` with its parameters percent-encoded in their places. */
export function pathOf(operation: Listed, values: Readonly<Record<string, unknown>>): string {
  return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(typeof values[name] === 'string' ? values[name] : 'x'),
  );
}

/** The body; of a stream that does not end by itself, what it says first. */
export async function textOf(response: Response): Promise<string> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!isStream || response.body === null) return response.text();
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.includes('\n\n')) break;
  }
  return text;
}

/** Values that fit a schema. */
export function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting));
  switch (schema.type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const fields = Object.entries(properties).map(([name, each]) => [name, fitting(each)]);
      return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: [...required],
      });
    }
    case 'array':
      return fc.array(fitting(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: 4,
      });
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? 0, -1e9),
        max: Math.min(schema.maximum ?? 1e9, 1e9),
      });
    case 'number':
      return fc.double({
        ...{ min: schema.exclusiveMinimum ?? schema.minimum ?? -1e6, max: 1e6 },
        ...{ minExcluded: schema.exclusiveMinimum !== undefined, noNaN: true },
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
    case undefined:
    default:
      return words(schema);
  }
}

/** Few, so that requests meet each other's agents, runs and names. */
const WORDS = ['a', 'b', '.', '..', 'a/b ü', '__proto__', 'constructor', 'daily', 'cost', '1'];

function words({ pattern, maxLength = 200 }: Schema): fc.Arbitrary<string> {
  const regex = new RegExp(pattern ?? '', 'u');
  const any = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 20, unit: 'grapheme' }));
  const some = pattern === undefined ? any : fc.oneof(any, fc.stringMatching(regex));
  return some.filter(
    (text) => regex.test(text) && text.length <= maxLength && !text.includes('\0'),
  );
}

const NASTY: readonly unknown[] = [
  ...[null, true, '', ' ', '\0', '\ud800', '__proto__', -1, -0, 0.1, 1e308, 2 ** 53, 1e21],
  ...['9'.repeat(400), [], {}, [[[]]], { __proto__: 1 }, 'NaN', '2026-02-30T00:00:00Z'],
];

/** A fitting value with one member somewhere replaced, taken away or added. */
export function nearlyFitting(schema: Schema): fc.Arbitrary<unknown> {
  return fc
    .tuple(fitting(schema), fc.nat(), fc.constantFrom(...NASTY), fc.constantFrom('set', 'drop'))
    .map(([value, at, nasty, act]) => {
      const copy = structuredClone(value);
      const places = placesIn(copy);
      const place = places[at % Math.max(places.length, 1)];
      if (place === undefined) return nasty;
      if (act === 'drop') Reflect.deleteProperty(place.holder, place.name);
      else Reflect.set(place.holder, place.name, nasty);
      return copy;
    });
}

interface Place {
  readonly holder: object;
  readonly name: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [
    { holder: value, name },
    ...placesIn(each),
  ]);
}

/** Bytes that are no body at all, or one to choke on. */
export const junk: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc
  .oneof(
    fc.constantFrom(
      ...['', '{', 'null', '[]', '7', '"x"', 'hello', '{"a":1e999}', '{"a":NaN}', '{"":{}}'],
      `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
      `{"name":${'9'.repeat(10_000)}}`,
      '{"agent":"\\ud800","reason":"\\u0000"}',
    ),
    fc.json(),
  )
  .map((text) => new TextEncoder().encode(text))
  .chain((bytes) =>
    fc.constantFrom(bytes, new Uint8Array([...bytes, 0xff]), new Uint8Array([0xc3, 0x28, 0x7b])),
  );
