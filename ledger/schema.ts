/**
 * The tables for typed queries off the hot path. `migrations/` makes them; a contract test holds
 * both to each other. Times are epoch ms and every number is below 2^53.
 */
import { sql } from 'drizzle-orm';
import { bigint, boolean, customType, pgTable, text } from 'drizzle-orm/pg-core';
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy';
import type { AlertFacts } from '../domain/alert/facts.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type { AlertInput, AlertRoute, Escalation, JournalEntry } from '../domain/alert/state.js';
import type { Budget } from '../domain/configuration.js';
import { NO_LAYER, type OperatorLayer } from '../domain/configuration/layers.js';
import type { LeaseState } from '../domain/lease/lease.js';
import type { ChannelName } from '../domain/words.js';
import type { CallbackProvider, CallbackWord, Receipt } from './callback.js';
import type { Run } from './database.js';
import type { ServiceNoticeKind } from '../domain/alert/notice.js';
import type { Health } from './delivery.js';
import { jsonText, type Value } from './literals.js';

const integer = (name: string) => bigint(name, { mode: 'number' });
const json = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => 'jsonb',
  toDriver: jsonText,
});
/** Ranges of whole numbers: `{[1,8),[9,10)}`. */
const numbers = customType<{ data: string }>({ dataType: () => 'int8multirange' });

export const usageEvents = pgTable('usage_event', {
  org: text('org').notNull(),
  idempotencyKey: text('idempotency_key').notNull(),
  agent: text('agent').notNull(),
  run: text('run'),
  provider: text('provider').notNull(),
  model: text('model').notNull(),
  inputTokens: integer('input_tokens').notNull(),
  outputTokens: integer('output_tokens').notNull(),
  costReported: integer('cost_reported').notNull(),
  costUsed: integer('cost_used').notNull(),
  priceVersion: text('price_version'),
  durationMs: integer('duration_ms').notNull(),
  status: text('status').notNull(),
  at: integer('at').notNull(),
  receivedAt: integer('received_at').notNull(),
  flags: text('flags'),
  lease: text('lease'),
  leaseSeq: integer('lease_seq'),
});

export const leases = pgTable('lease', {
  org: text('org').notNull(),
  id: text('id').notNull(),
  agent: text('agent').notNull(),
  run: text('run'),
  holder: text('holder').notNull(),
  state: text('state').$type<LeaseState>().notNull().default('open'),
  grantedCost: integer('granted_cost').notNull(),
  grantedTokens: integer('granted_tokens').notNull(),
  grantedCalls: integer('granted_calls').notNull(),
  settledCost: integer('settled_cost').notNull().default(0),
  settledTokens: integer('settled_tokens').notNull().default(0),
  settledCalls: integer('settled_calls').notNull().default(0),
  seqs: numbers('seqs').notNull().default('{}'),
  lastSeq: integer('last_seq'),
  periods: json('periods').$type<readonly string[]>().notNull(),
  startsAt: integer('starts_at').notNull(),
  endsAt: integer('ends_at'),
  openedAt: integer('opened_at').notNull(),
  renewedAt: integer('renewed_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
  closedAt: integer('closed_at'),
  why: text('why'),
});

export const leaseHolders = pgTable('lease_holder', {
  org: text('org').notNull(),
  holder: text('holder').notNull(),
  agent: text('agent').notNull(),
  lastN: integer('last_n').notNull().default(0),
  answer: text('answer'),
  at: integer('at').notNull(),
});

export const quarantinedEvents = pgTable('quarantined_event', {
  id: integer('id').notNull().generatedAlwaysAsIdentity(),
  org: text('org').notNull(),
  at: integer('at').notNull(),
  path: text('path').notNull(),
  problem: text('problem').notNull(),
  raw: text('raw').notNull(),
});

export const alertOutbox = pgTable('alert_outbox', {
  id: text('id').notNull(),
  org: text('org').notNull(),
  input: json('input').$type<AlertInput>().notNull(),
  dueAt: integer('due_at'),
  leaseUntil: integer('lease_until').notNull(),
  fence: integer('fence').notNull(),
  tries: integer('tries').notNull(),
  reason: text('reason'),
});

export const alerts = pgTable('alert', {
  org: text('org').notNull(),
  id: text('id').notNull(),
  subject: text('subject').notNull(),
  agent: text('agent').notNull(),
  phase: text('phase').$type<'firing' | 'acknowledged' | 'resolved'>().notNull(),
  exhausted: boolean('exhausted').notNull(),
  raisedAt: integer('raised_at').notNull(),
  facts: json('facts').$type<AlertFacts>().notNull(),
  lastEntry: integer('last_entry').notNull(),
});

export const journal = pgTable('journal', {
  org: text('org').notNull(),
  alertId: text('alert_id').notNull(),
  no: integer('no').notNull(),
  at: integer('at').notNull(),
  what: text('what').$type<JournalEntry['what']>().notNull(),
  delivery: text('delivery'),
  channel: text('channel').$type<ChannelName>(),
  attempt: integer('attempt'),
  reason: text('reason'),
  by: text('by'),
});

export const firings = pgTable('firing', {
  org: text('org').notNull(),
  periodId: text('period_id').notNull(),
  dimension: text('dimension').notNull(),
  bps: integer('bps').notNull(),
  channel: text('channel').notNull(),
  limitsRev: integer('limits_rev').notNull(),
  alertId: text('alert_id').notNull(),
});

export const deliveries = pgTable('delivery', {
  org: text('org').notNull(),
  alertId: text('alert_id').notNull(),
  id: text('id').notNull(),
  /** Null between its opening and its first attempt (A14). */
  body: text('body'),
  contentType: text('content_type'),
  destination: text('destination'),
});

export const attempts = pgTable('attempt', {
  org: text('org').notNull(),
  alertId: text('alert_id').notNull(),
  deliveryId: text('delivery_id').notNull(),
  attempt: integer('attempt').notNull(),
  channel: text('channel').$type<ChannelName>().notNull(),
  startedAt: integer('started_at').notNull(),
  endedAt: integer('ended_at'),
  outcome: json('outcome').$type<Outcome>(),
  destination: text('destination'),
  receipt: json('receipt').$type<Receipt>(),
});

export const callbacks = pgTable('callback', {
  provider: text('provider').$type<CallbackProvider>().notNull(),
  eventId: text('event_id').notNull(),
  word: json('word').$type<CallbackWord>().notNull(),
  receivedAt: integer('received_at').notNull(),
  dueAt: integer('due_at'),
  leaseUntil: integer('lease_until').notNull().default(0),
  fence: integer('fence').notNull().default(0),
  tries: integer('tries').notNull().default(0),
  result: text('result'),
});

export const scopeConfigurations = pgTable('scope_configuration', {
  org: text('org').notNull(),
  scope: text('scope').notNull(),
  name: text('name'),
  zone: text('zone').notNull(),
  budgets: json('budgets').$type<readonly Budget[]>().notNull(),
  synced: json('synced').$type<readonly Budget[]>().notNull().default([]),
  operator: json('operator').$type<OperatorLayer>().notNull().default(NO_LAYER),
  endsAt: integer('ends_at'),
  shown: json('shown').$type<readonly unknown[]>(),
  rev: integer('rev').notNull(),
  changedAt: integer('changed_at').notNull(),
});

export const destinations = pgTable('destination', {
  org: text('org').notNull(),
  reference: text('reference').notNull(),
  channel: text('channel').$type<ChannelName>().notNull(),
  sealed: text('sealed').notNull(),
  sendResolved: boolean('send_resolved').notNull(),
  health: text('health').$type<Health>().notNull().default('ok'),
  healthReason: text('health_reason'),
  healthAt: integer('health_at'),
  failures: integer('failures').notNull().default(0),
  failingSince: integer('failing_since'),
  bounces: integer('bounces').notNull().default(0),
  bouncingSince: integer('bouncing_since'),
  verified: boolean('verified').notNull(),
});

export const defaultDestinations = pgTable('default_destination', {
  org: text('org').notNull(),
  channel: text('channel').$type<ChannelName>().notNull(),
  reference: text('reference').notNull(),
  setBy: text('set_by').notNull().default('environment'),
});

export const destinationPaces = pgTable('destination_pace', {
  org: text('org').notNull(),
  reference: text('reference').notNull(),
  minuteAt: integer('minute_at').notNull().default(0),
  minuteCount: integer('minute_count').notNull().default(0),
  dayAt: integer('day_at').notNull().default(0),
  dayCount: integer('day_count').notNull().default(0),
  held: integer('held').notNull().default(0),
  heldFrom: integer('held_from'),
  heldDueAt: integer('held_due_at'),
});

export const operatorNotices = pgTable('operator_notice', {
  id: integer('id').notNull().generatedAlwaysAsIdentity(),
  org: text('org').notNull(),
  at: integer('at').notNull(),
  kind: text('kind').$type<ServiceNoticeKind>().notNull(),
  text: text('text').notNull(),
  destination: text('destination'),
  alertId: text('alert_id'),
  once: text('once'),
  toldAt: integer('told_at'),
});

export const heldAlerts = pgTable('held_alert', {
  org: text('org').notNull(),
  reference: text('reference').notNull(),
  alertId: text('alert_id').notNull(),
});

export const organisations = pgTable('organisation', {
  org: text('org').notNull(),
  operators: json('operators').$type<readonly AlertRoute[]>().notNull().default([]),
  escalation: json('escalation').$type<Escalation | null>(),
  emailDomains: json('email_domains').$type<readonly string[]>().notNull().default([]),
  operatorsBy: text('operators_by').notNull().default('environment'),
  emailDomainsBy: text('email_domains_by').notNull().default('environment'),
});

export const apiKeys = pgTable('api_key', {
  hash: text('hash').notNull(),
  org: text('org').notNull(),
  name: text('name').notNull(),
  revokedAt: integer('revoked_at'),
  id: text('id').generatedAlwaysAs(sql`left(hash, 16)`),
  hint: text('hint'),
  scopes: text('scopes').notNull(),
  agent: text('agent'),
  createdAt: integer('created_at').notNull().default(0),
  createdBy: text('created_by'),
  expiresAt: integer('expires_at'),
  replacedBy: text('replaced_by'),
});

export const idempotentAnswers = pgTable('idempotent_answer', {
  org: text('org').notNull(),
  keyId: text('key_id').notNull(),
  idempotencyKey: text('idempotency_key').notNull(),
  request: text('request').notNull(),
  until: integer('until').notNull(),
  holder: text('holder').notNull(),
  status: integer('status'),
  answer: text('answer'),
});

/** Typed queries that run as statements of `run`, in its transaction if it has one. */
export function typed(run: Run): PgRemoteDatabase {
  return drizzle(async (text, values: Value[]) => {
    const known = values.map((value) => (value as unknown) ?? undefined) as Value[];
    return { rows: [...(await run(text, known, { rowMode: 'array' }))] };
  });
}
