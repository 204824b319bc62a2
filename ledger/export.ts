/**
 * What is taken out of the book in bulk: usage, journals, audit, a page at a time in the order of
 * a key, so that an export of any size needs no memory and holds no transaction open. What comes
 * in behind the page that was read is not in it.
 */
import type { Database, Row } from './database.js';
import { inKeyOrder } from './key-order.js';
import type { Value } from './literals.js';

export const EXPORT_KINDS = ['events', 'journal', 'audit'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export interface ExportQuery {
  readonly org: string;
  /** `events` and `journal`: of this agent; `audit`: entries about it. */
  readonly agent?: string;
  /** Epoch ms: the first that counts, and the first that does not any more. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** `next` of the page before; absent: the first page. */
  readonly after?: readonly Value[];
}

export interface ExportPage {
  /** Names as in `EXPORT_COLUMNS`; what is not there is absent. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Absent: this was the last. */
  readonly next?: readonly Value[];
}

interface Source {
  /** Exported names and their SQL, in order. */
  readonly columns: Readonly<Record<string, string>>;
  readonly from: string;
  readonly org: string;
  readonly at: string;
  readonly agent: (mark: string) => string;
  /** In its order pages follow each other; unique within an organisation. */
  readonly key: readonly { readonly column: string; readonly type: 'text' | 'bigint' }[];
}

const SOURCES: Readonly<Record<ExportKind, Source>> = {
  // The order of the index on (org, agent, at).
  events: {
    columns: {
      ...{ idempotencyKey: 'idempotency_key', agent: 'agent', run: 'run', at: 'at' },
      ...{ receivedAt: 'received_at', provider: 'provider', model: 'model' },
      ...{ inputTokens: 'input_tokens', outputTokens: 'output_tokens' },
      ...{ costReported: 'cost_reported', costUsed: 'cost_used', priceVersion: 'price_version' },
      ...{ durationMs: 'duration_ms', status: 'status', flags: 'flags' },
    },
    ...{ from: 'usage_event', org: 'org', at: 'at' },
    agent: (mark) => `agent = ${mark}`,
    key: [
      { column: 'agent', type: 'text' },
      { column: 'at', type: 'bigint' },
      { column: 'idempotency_key', type: 'text' },
    ],
  },
  journal: {
    columns: {
      ...{ alertId: 'j.alert_id', no: 'j.no', at: 'j.at', agent: 'a.agent', what: 'j.what' },
      ...{ delivery: 'j.delivery', channel: 'j.channel', attempt: 'j.attempt' },
      ...{ reason: 'j.reason', by: 'j.by' },
    },
    from: 'journal j left join alert a on a.org = j.org and a.id = j.alert_id',
    ...{ org: 'j.org', at: 'j.at' },
    agent: (mark) => `a.agent = ${mark}`,
    key: [
      { column: 'j.alert_id', type: 'text' },
      { column: 'j.no', type: 'bigint' },
    ],
  },
  audit: {
    columns: {
      ...{ id: 'id', at: 'at', by: 'by', what: 'what', subject: 'subject' },
      ...{ before: 'before', after: 'after' },
    },
    ...{ from: 'audit', org: 'org', at: 'at' },
    agent: (mark) => `subject = 'agent:' || ${mark}::text`,
    key: [{ column: 'id', type: 'bigint' }],
  },
};

/** The names of an export, in order. */
export const EXPORT_COLUMNS: Readonly<Record<ExportKind, readonly string[]>> = {
  events: Object.keys(SOURCES.events.columns),
  journal: Object.keys(SOURCES.journal.columns),
  audit: Object.keys(SOURCES.audit.columns),
};

export async function exportPage(
  db: Database,
  kind: ExportKind,
  query: ExportQuery,
): Promise<ExportPage> {
  const source = SOURCES[kind];
  const { text, values } = statementOf(source, query);
  const rows = await db.transaction(async (run) => {
    await inKeyOrder(run);
    return run(text, values);
  });
  const last = rows.at(-1);
  return {
    rows: rows.map((row) => exported(source, row)),
    ...(last === undefined || rows.length < query.limit
      ? {}
      : { next: source.key.map((_, i) => last[`key${String(i)}`] as Value) }),
  };
}

function statementOf(source: Source, query: ExportQuery): { text: string; values: Value[] } {
  const values: Value[] = [];
  const mark = (value: Value): string => `$${String(values.push(value))}`;
  const { org, agent, from, to, after, limit } = query;
  const conditions = [`${source.org} = ${mark(org)}`];
  if (agent !== undefined) conditions.push(source.agent(mark(agent)));
  if (from !== undefined) conditions.push(`${source.at} >= ${mark(from)}::bigint`);
  if (to !== undefined) conditions.push(`${source.at} < ${mark(to)}::bigint`);
  const key = source.key.map(({ column }) => column).join(', ');
  if (after !== undefined) {
    const marks = source.key.map(({ type }, i) => `${mark(after[i])}::${type}`);
    conditions.push(`(${key}) > (${marks.join(', ')})`);
  }
  const named = Object.entries(source.columns).map(([name, column]) => `${column} as "${name}"`);
  const keys = source.key.map(({ column }, i) => `${column} as key${String(i)}`);
  const text = `select ${[...named, ...keys].join(', ')} from ${source.from}
    where ${conditions.join(' and ')} order by ${key} limit ${mark(limit)}::bigint`;
  return { text, values };
}

function exported({ columns }: Source, row: Row): Record<string, unknown> {
  const known = Object.keys(columns).filter((name) => row[name] !== null);
  return Object.fromEntries(known.map((name) => [name, row[name]]));
}
