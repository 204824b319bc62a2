/**
 * Values as text of SQL. Arrays travel as one literal each (`$1::text[]`), which is cheaper than
 * the driver's own way; the embedded database gets whole statements as one message (database.ts).
 * V-1. Nothing a value holds can end its literal: quotes and backslashes are escaped, and NUL,
 *      which Postgres has no place for and which would cut a message short, becomes U+FFFD.
 */
/** What a parameter can be; JSON is passed as its text. */
export type Value = string | number | boolean | undefined;

/** Text that Postgres can hold: no NUL and no half surrogate pair. */
export function storable(text: string): string {
  if (!/[\0\ud800-\udfff]/.test(text)) return text;
  return Buffer.from(text.replaceAll('\0', '\ufffd'), 'utf8').toString('utf8');
}

/** `[1, undefined] -> {1,null}`. */
export function numberArray(values: readonly (number | undefined)[]): string {
  return `{${values.map((value) => (value === undefined ? 'null' : String(value))).join(',')}}`;
}

/** `['a"b', undefined] -> {"a\"b",null}`. */
export function textArray(values: readonly (string | undefined)[]): string {
  return `{${values.map((value) => (value === undefined ? 'null' : quoted(value))).join(',')}}`;
}

function quoted(text: string): string {
  return `"${storable(text).replace(/["\\]/g, '\\$&')}"`;
}

/** Puts the values into the statement: `$1` stands for the first, nowhere else is a `$`. */
export function inlined(text: string, values: readonly Value[]): string {
  return text.replace(/\$(\d+)/g, (_, digits: string) => literal(values[Number(digits) - 1]));
}

/** One value as SQL writes it. */
export function literal(value: Value): string {
  if (value === undefined) return 'null';
  if (typeof value === 'string') {
    const doubled = storable(value).replaceAll("'", "''");
    return doubled.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
  }
  return `(${String(value)})`;
}

/** JSON that `jsonb` takes: it refuses what `storable` replaces, also where it is escaped. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return /\\u(?:0000|d[89a-f])/i.test(text) ? JSON.stringify(storableJson(value)) : text;
}

function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [storable(name), storableJson(each)]),
  );
}
