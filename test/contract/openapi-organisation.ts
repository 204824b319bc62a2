/** An organisation with something of everything, for walks over all operations of the OpenAPI. */
import { onTestFinished } from 'vitest';
import type { AlertView, KeyView } from '../../ledger/ledger.js';
import { alertWorkflowId, budgetWorkflowId } from '../../domain/ids.js';
import { DEFAULT_PREFERENCES } from '../../domain/preferences.js';
import type { OpenApiDocument } from '../../gateway/openapi.js';
import { NOON, syncDocument, usageEvent } from './gateway-kit.js';
import { bearer, type RealLedger } from './gateway-real-kit.js';
import type { Known } from './openapi-kit.js';

/** In all that only its owner may see, and in nothing that a request says. */
export const CANARY = 'canary';
/** Likewise, for what has only numbers: it begins every amount of its. */
export const SPENT = 777_777;
const AGENT = 'victim-bot';

export interface Organisation {
  readonly org: string;
  /** What names its things, by the name of the member or parameter. */
  readonly known: Known;
  /** The ids that `{id}` may mean, by the first part of the path after the version. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Makes it, and answers what to name in order to get at it. */
export async function furnish(real: RealLedger, org: string): Promise<Organisation> {
  const { request } = await real.start();
  const admin = await real.key({ org });
  const post = async (path: string, body: unknown) => {
    const answer = await request('POST', path, JSON.stringify(body), bearer(admin));
    if (answer.status >= 300 && answer.status !== 429) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const ledger = real.ledger();
  const key = { org, scope: `agent:${AGENT}`, cadence: 'daily', generation: 1 } as const;
  const period = { ...key, period: '20261121T000000Z' };
  const alertId = alertWorkflowId(period, { no: 1, dimension: 'cost', bps: 8_000 });
  await post('/v1/sync-config', {
    ...syncDocument({ agent_name: AGENT }),
    org_budget: { budget_type: 'cost', period: 'monthly', limit_value: 777 },
    org_alert_configs: [{ channel: 'email', threshold_pct: 0.5, target: `${CANARY}@a.test` }],
  });
  await post('/v1/runs/run-1', { agent_name: AGENT, what: 'started' });
  await post('/v1/ingest', {
    events: [
      usageEvent({ agent_name: AGENT, run_id: 'run-1', model: CANARY, cost: 0.7777777 }),
      { agent_name: AGENT, input_tokens: -1, model: CANARY },
    ],
  });
  const room = { cost_nano_usd: SPENT * 10, tokens: SPENT, calls: 1 };
  const guard = { holder: 'guard-1', n: 1, agent_name: AGENT };
  await post('/v1/leases', { ...guard, need: room, want: room });
  await post('/v1/events', { agent_id: AGENT, metrics: {} });
  const alert: AlertView = {
    ...{ id: alertId, org, subject: budgetWorkflowId(period), phase: 'firing', exhausted: false },
    raisedAt: NOON,
    facts: {
      ...{ org, agentName: AGENT, dimension: 'cost', cadence: 'daily', thresholdBps: 8_000 },
      ...{
        spent: SPENT,
        limit: 2 * SPENT,
        severity: 'warning',
        priority: 'medium',
        zone: 'UTC',
        at: NOON,
      },
    },
  };
  await ledger.appendJournal(alert, [{ no: 1, at: NOON, what: 'raised', reason: CANARY }]);
  await post(`/v1/agents/${AGENT}/stop`, { reason: CANARY, by: CANARY });
  const made = await post('/v1/keys', { name: CANARY, scopes: ['read'], by: CANARY });
  const raise = { agent: AGENT, amount: 1, until: '1h', reason: CANARY, id: 'raise-1' };
  await post('/v1/raises', raise);
  await post('/v1/silences', { agent: AGENT, until: '1h', reason: CANARY, id: 'silence-1' });
  const author = { by: CANARY, now: NOON };
  const recipient = { org, id: 'victim' };
  await ledger.putRecipient({ ...recipient, name: CANARY }, author);
  const preferences = { ...DEFAULT_PREFERENCES, agents: { [CANARY]: { sms: false } } };
  await ledger.setPreferences(recipient, preferences, author);
  await ledger.putContact({ ...recipient, channel: 'email', address: `${CANARY}@p.test` }, author);
  const rule = {
    ...{ name: CANARY, agentId: AGENT, condition: 'error_rate > 1', channels: ['slack'] },
    userIds: [CANARY],
  };
  const ruled = await post('/v1/rules', rule);
  await post('/v1/events', { agent_id: AGENT, metrics: { error_rate: 2 } });
  const [budget] = await ledger.budgets({ org, agent: AGENT, now: NOON, limit: 1 });
  const [destination] = await real.sql(
    `select reference from destination where org = '${org}' limit 1`,
  );
  return {
    org,
    known: {
      ...{ agent: AGENT, agent_name: AGENT, org, run: 'run-1', subject: alert.subject },
      ...{
        destination: destination?.['reference'],
        reference: destination?.['reference'],
        channel: 'slack',
        scopes: ['read'],
      },
      ...{ lease: 'guard-1/1', last_seq: 0 },
      ...{ what: 'heartbeat', events: [usageEvent({ agent_name: AGENT })] },
      ...{ condition: 'error_rate > 1', channels: ['slack'], agentId: AGENT, agent_id: AGENT },
    },
    ids: {
      ...{
        alerts: alertId,
        budgets: budget?.id ?? '',
        runs: 'run-1',
        raises: 'raise-1',
        leases: 'guard-1/1',
        silences: 'silence-1',
      },
      keys: (made['created'] as KeyView).id,
      recipients: 'victim',
      rules: (ruled['rule'] as { readonly id: string }).id,
    },
  };
}

/** `/v1/alerts/{id}` -> what `{id}` is called there. */
export function idFor({ ids }: Organisation, path: string): string {
  const part = path.split('/').find((each) => each in ids) ?? '';
  return ids[part] ?? 'x';
}

/** A gateway with everything that can be switched on, and its document. */
export async function startWhole(real: RealLedger) {
  const refused = { code: 'no', message: 'not now' } as const;
  const answer = () => Promise.resolve({ type: 'refused', refusal: refused } as const);
  const sent: unknown[] = [];
  const started = await real.start({
    alerts: { acknowledge: answer, resolve: answer },
    codec: {
      encode: (payloads) => Promise.resolve(payloads),
      decode: (payloads) => Promise.resolve(payloads),
      origins: [],
    },
    testSend: (request) => {
      sent.push(request);
      return Promise.resolve({ type: 'suppressed', reason: 'no_destination' });
    },
    sendCode: (contact) => {
      sent.push(contact);
      return Promise.resolve({ type: 'unsupported_channel' });
    },
    push: { ledger: real.ledger(), confirm: () => Promise.resolve() },
    policy: { rates: { usage: 1e6, other: 1e6 } },
  });
  onTestFinished(() => started.gateway.stop());
  const document = (await started.get('/openapi.json')).body as unknown as OpenApiDocument;
  return { ...started, document, sent };
}
