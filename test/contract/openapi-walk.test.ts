/**
 * Walks over every operation of the OpenAPI document: with another organisation's key, with every
 * single scope, with a key of one agent, and without any. A route that is added is walked, too.
 */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { KEY_SCOPES } from '../../domain/words.js';
import { bearer, realLedger } from './gateway-real-kit.js';
import {
  bodySchemaOf,
  operationsOf,
  pathOf,
  sampleOf,
  textOf,
  type Listed,
  type Schema,
} from './openapi-kit.js';
import {
  CANARY,
  SPENT,
  furnish,
  idFor,
  startWhole,
  type Organisation,
} from './openapi-organisation.js';

const real = realLedger();
const needsKey = ({ security }: Listed): boolean => security.length > 0;

async function start(org: string) {
  const owner = await furnish(real, org);
  const { document, gateway, sent } = await startWhole(real);
  /** What the operation is asked for, naming the owner's things wherever it names any. */
  const ask = async (operation: Listed, key: string | undefined, over: object = {}) => {
    const known = { ...owner.known, ...over };
    const path = pathOf(operation, { ...known, id: idFor(owner, operation.path) });
    const query = new URLSearchParams(
      (operation.parameters ?? [])
        .filter((each) => each.in === 'query' && each.name in known)
        .map(({ name }): [string, string] => [
          name,
          String((known as Record<string, unknown>)[name]),
        ]),
    );
    const schema = bodySchemaOf(operation);
    const response = await fetch(`${gateway.url}${path}?${query.toString()}`, {
      method: operation.method,
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : bearer(key)),
      },
      ...(schema === undefined ? {} : { body: JSON.stringify(sampleOf(schema, known)) }),
    });
    return { status: response.status, text: await textOf(response) };
  };
  return { owner, ask, sent, document, operations: operationsOf(document) };
}

/** Rows of one organisation; what a read makes (empty configurations) is nothing. */
const rowsOf = ({ org }: Organisation) => real.dump(`t.org = '${org}'`);

describe('isolation of organisations', () => {
  test('with another’s key every operation sees nothing of the first one’s and changes nothing', async () => {
    const { owner, ask, operations, sent } = await start('victim');
    const thief = await real.key({ org: 'thief' });
    const before = await rowsOf(owner);
    expect(JSON.stringify(before)).toContain(CANARY);
    for (const operation of operations) {
      const { status, text } = await ask(operation, thief);
      expect(status, operation.operationId).not.toBe(401);
      expect(status, operation.operationId).toBeLessThan(500);
      expect(text, operation.operationId).not.toContain(CANARY);
      expect(text, operation.operationId).not.toContain(String(SPENT));
    }
    expect(await rowsOf(owner)).toEqual(before);
    // What was sent was sent as the thief's own: the ledger finds no destination of another's.
    for (const request of sent) expect(request).toMatchObject({ org: 'thief' });
  });

  test('the owner’s own key sees it: the walk looks where there is something to see', async () => {
    const { ask, operations } = await start('owner');
    const key = await real.key({ org: 'owner' });
    const reads = operations.filter((each) => each.method === 'GET' && needsKey(each));
    const seen: string[] = [];
    for (const operation of reads) {
      const { text } = await ask(operation, key);
      if (text.includes(CANARY) || text.includes(String(SPENT))) seen.push(operation.operationId);
    }
    expect(seen.sort()).toEqual([
      ...[
        'listAlerts',
        'listBudgets',
        'listKeys',
        'listLeases',
        'listLimits',
        'listQuarantine',
        'listRecipients',
        'listRules',
        'listSilences',
        'listStoppedAgents',
      ],
      ...['readAlert', 'readBudget', 'readPreferences', 'readRecipient', 'readStatus'],
      'watchGuard',
    ]);
  });
});

describe('scopes', () => {
  test('each operation takes the scopes it names, and admin; every other is refused with 403', async () => {
    const { ask, operations, owner } = await start('scoped');
    for (const scope of KEY_SCOPES) {
      const key = await real.key({ org: 'scoped', scopes: [scope] });
      for (const operation of operations.filter(needsKey)) {
        const named = operation['x-kavach-scopes'];
        const isAllowed = scope === 'admin' || named.includes(scope);
        const before = isAllowed ? undefined : await rowsOf(owner);
        const { status } = await ask(operation, key);
        const what = `${operation.operationId} with ${scope}`;
        // Sealed payloads and others' keys are for whoever runs the service.
        const isHome = operation.path.startsWith('/codec/');
        if (!isAllowed) {
          expect(status, what).toBe(403);
          expect(await rowsOf(owner), what).toEqual(before);
        } else if (!isHome) expect([401, 403], what).not.toContain(status);
      }
    }
  });

  test('who may ingest raises no limit, removes no kill and ends no stop', async () => {
    const { ask, operations } = await start('ingesting');
    const key = await real.key({ org: 'ingesting', scopes: ['ingest'] });
    const allowed: string[] = [];
    for (const operation of operations.filter(needsKey)) {
      if ((await ask(operation, key)).status !== 403) allowed.push(operation.operationId);
    }
    expect(allowed.sort()).toEqual([
      'askLease',
      'closeLease',
      'ingest',
      'listPeriods',
      'listRules',
      'reportMetrics',
      'reportRun',
      'sendNotice',
      'watchGuard',
    ]);
  });

  test('without a key, and with a wrong one, nothing but what is for everybody', async () => {
    const { ask, operations, owner } = await start('keyless');
    const before = await rowsOf(owner);
    for (const operation of operations) {
      for (const key of [undefined, 'kv_wrong']) {
        const { status, text } = await ask(operation, key);
        if (needsKey(operation)) expect(status, operation.operationId).toBe(401);
        expect(text).not.toContain(CANARY);
      }
    }
    expect(await rowsOf(owner)).toEqual(before);
  });

  test('a key of one agent sees nothing of another and changes nothing of it', async () => {
    const { ask, operations, owner } = await start('agents');
    const scopes = KEY_SCOPES.filter((scope) => scope !== 'admin');
    const key = await real.key({ org: 'agents', agent: 'someone-else', scopes });
    const before = await rowsOf(owner);
    for (const operation of operations.filter(needsKey)) {
      const { status, text } = await ask(operation, key);
      expect(status, operation.operationId).toBeLessThan(500);
      expect(text, operation.operationId).not.toContain(CANARY);
      if (!operation['x-kavach-agent-keys']) expect(status, operation.operationId).toBe(403);
    }
    const after = await rowsOf(owner);
    // What it reported of another is kept, unread by anybody but the organisation.
    const kept = (rows: Readonly<Record<string, string>>) => ({ ...rows, quarantined_event: '' });
    expect(kept(after)).toEqual(kept(before));
  });
});

test('every answer is what the document says', async () => {
  const { ask, operations } = await start('answered');
  const key = await real.key({ org: 'answered' });
  for (const operation of operations) {
    const { status, text } = await ask(operation, key);
    const responses = operation.responses as Record<string, Described>;
    const described = responses[String(status)];
    expect(described, `${operation.operationId} answers ${String(status)}`).toBeDefined();
    const schema = described?.content?.['application/json']?.schema;
    if (schema === undefined) continue;
    const checked = z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema);
    const { error } = checked.safeParse(JSON.parse(text));
    expect(error?.issues, operation.operationId).toBeUndefined();
  }
});

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}
