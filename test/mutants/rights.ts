/** What is taken away of keys, rights and the API as a whole. */
import { edit, type Mutant } from './mutant.js';

const WALK = 'test/contract/openapi-walk.test.ts';
const REST = 'test/contract/gateway-rest.test.ts';

export const RIGHTS_MUTANTS: readonly Mutant[] = [
  {
    name: 'the scope of a key (G-K1)',
    edits: [edit('gateway/rights.ts', 'if (!mayDo(key, scopes)) {', 'if (false as boolean) {')],
    test: WALK,
    only: 'who may ingest raises no limit',
  },
  {
    name: 'a key of one agent touches that agent (G-K2)',
    edits: [
      edit(
        'gateway/rights.ts',
        'if (key.agent === undefined || key.agent === agent) return;',
        'if (true as boolean) return;',
      ),
    ],
    test: WALK,
    only: 'a key of one agent sees nothing',
  },
  {
    name: 'an organisation lists its own keys',
    edits: [
      edit('ledger/keys.ts', '.where(and(eq(apiKeys.org, org), follows))', '.where(follows)'),
    ],
    test: WALK,
    only: 'with another’s key',
  },
  {
    name: 'an alert is of the organisation that asks',
    edits: [
      edit('ledger/journal.ts', 'and(eq(alerts.org, org), eq(alerts.id, id))', 'eq(alerts.id, id)'),
    ],
    test: WALK,
    only: 'with another’s key',
  },
  {
    name: 'the body is part of what an Idempotency-Key stands for (G-D2)',
    edits: [edit('gateway/idempotency.ts', '.update(what).update(body)', '.update(what)')],
    test: REST,
    only: 'another body, or another path',
  },
  {
    name: 'a refused write frees its key (G-D1)',
    edits: [
      edit('gateway/idempotency.ts', 'await settle(ref, ledger.releaseWrite(ref, holder));', ''),
    ],
    test: REST,
    only: 'a refusal is not kept',
  },
  {
    name: 'a page begins after the last entry of the one before, not after so many',
    edits: [
      edit(
        'ledger/journal.ts',
        'and(eq(alerts.raisedAt, raisedAt), gt(alerts.id, id))',
        'undefined',
      ),
    ],
    test: REST,
    only: 'of keys, stops, budgets, alerts',
  },
  {
    name: 'what is not as it is described is refused (spec §8)',
    edits: [
      edit(
        'gateway/schemas.ts',
        'if (parsed.success) return parsed.data;',
        'return (parsed.data ?? input) as never;',
      ),
    ],
    test: 'test/contract/gateway-fuzz.test.ts',
  },
];
