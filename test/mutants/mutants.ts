/**
 * What is taken away, one at a time, and the test that must then turn red. Each is a textual edit
 * of today's code: a text that is no longer there is an error here, not a survivor.
 */

import { edit, type Mutant } from './mutant.js';
import { LAST_RESORT_MUTANTS } from './last-resort.js';
import { PEOPLE_MUTANTS } from './people.js';
import { PUSH_MUTANTS } from './push.js';
import { RIGHTS_MUTANTS } from './rights.js';
import { SILENCE_MUTANTS } from './silences.js';

export type { Mutant };

const ALERT_RESPONSE = 'test/domain/alert-response.test.ts';
const PERIOD_WORLD = 'test/simulation/period-world.test.ts';
const LEDGER = 'test/contract/ledger-pglite.test.ts';
const CALLBACKS = 'test/contract/gateway-callbacks.test.ts';
const AGENTS_PAGE = 'test/contract/gateway-agents-page.test.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the unique key of events (B5)',
    edits: [
      edit('ledger/migrations/0001-first.sql', ',\n  primary key (org, idempotency_key)\n', '\n'),
      edit('ledger/ingest-sql.ts', '  on conflict (org, idempotency_key) do nothing\n', ''),
    ],
    test: LEDGER,
    only: 'the same batch twice counts once',
  },
  {
    name: 'the latch (T2)',
    edits: [
      edit('domain/budget/thresholds.ts', 'if (latch.reached !== undefined) continue;', ''),
      edit('domain/budget/thresholds.ts', 'if (isQuiet(latch, route, now)) continue;', ''),
      edit(
        'domain/budget/thresholds.ts',
        'const again = latch.fired.includes(limit.amount);',
        'const again = false;',
      ),
    ],
    test: 'test/domain/budget-thresholds.test.ts',
    only: 'T2:',
  },
  {
    name: 'the highest (epoch, seq) counts',
    edits: [
      edit('domain/budget/apply-report.ts', 'return report.seq > known.seq;', 'return true;'),
    ],
    test: 'test/domain/budget-thresholds.test.ts',
  },
  {
    name: 'the carried state of a rotation',
    edits: [
      edit(
        'workflows/budget-period.ts',
        "await continueAsNew<typeof budgetPeriod>({ kind: 'carried', ...end.carry });",
        `const { key, window, name, limits, policy } = end.carry.state;
    await continueAsNew<typeof budgetPeriod>({
      kind: 'row',
      policy,
      row: { key, window, name, limits, latches: {}, firingNo: 0, senders: {}, openAlerts: [] },
    });`,
      ),
    ],
    test: 'test/workflow/budget-period.test.ts',
    only: 'rotation carries everything',
    server: true,
  },
  {
    name: 'the fence of a publish (L-3)',
    edits: [
      edit(
        'ledger/publish.ts',
        `  and ($3::bigint, $4::bigint, $5::bigint)
    > (period.published_epoch, period.published_seq, period.published_order)
`,
        '  and $5::bigint > 0\n',
      ),
    ],
    test: LEDGER,
    only: 'decides what is newer',
  },
  {
    name: 'what a closing period has not taken in is late (B4)',
    edits: [
      edit(
        'ledger/claims.ts',
        "const TOLD = `case when period.state = 'closed' then",
        'const TOLD = `case when false then',
      ),
    ],
    test: LEDGER,
    only: 'what reached a period that was closing is late',
  },
  {
    name: 'the fence of a claim (L-4)',
    edits: [
      edit(
        'ledger/claims.ts',
        "where id = $1 and fence = $2::bigint and state <> 'parked'`;",
        "where id = $1 and $2::bigint > 0 and state <> 'parked'`;",
      ),
    ],
    test: LEDGER,
    only: 'the old fence changes nothing',
  },
  {
    name: 'the unique firing (T2, superseded)',
    edits: [
      edit(
        'ledger/deliveries.ts',
        'if (fires && row.holder !== ref.alertId) return',
        'if (row.holder === "") return',
      ),
    ],
    test: LEDGER,
    only: 'another alert for the same firing is superseded',
  },
  {
    name: 'a kill is sticky (K1, K4)',
    edits: [
      edit(
        'domain/budget/under-limits.ts',
        'return isRaised && spent[dimension]',
        'return isRaised || spent[dimension]',
      ),
    ],
    test: 'test/domain/budget-life.test.ts',
  },
  {
    name: 'the row says killed before the alert (K3)',
    edits: [
      edit('domain/budget/reduce.ts', 'if (kills.length === 0) {', 'if (kills.length >= 0) {'),
    ],
    test: 'test/domain/budget-life.test.ts',
  },
  {
    name: 'the order of publishes over all lives (K3)',
    edits: [
      edit(
        'domain/budget/publish.ts',
        'return Math.max(state.publishes + 1, now);',
        'return Math.min(state.publishes + 1, now);',
      ),
    ],
    test: PERIOD_WORLD,
  },
  {
    name: 'a person’s word is asked for before every send (A8)',
    edits: [
      edit(
        'domain/alert/holds.ts',
        "if (state.phase === 'acknowledged') return 'acknowledged';",
        "if (state.phase === 'acknowledged') return undefined;",
      ),
      edit(
        'domain/alert/holds.ts',
        "return state.acknowledged !== undefined ? 'acknowledged' : undefined;",
        'return undefined;',
      ),
    ],
    test: 'test/domain/alert-machine.test.ts',
  },
  {
    name: 'an answer counts for its own attempt (A-3)',
    edits: [
      edit(
        'domain/alert/deliveries.ts',
        'return delivery.attempts.length + 1 === no ? delivery : undefined;',
        'return delivery;',
      ),
    ],
    test: 'test/domain/budget-lives.test.ts',
  },
  {
    name: 'Retry-After only stretches (A3)',
    edits: [
      edit(
        'domain/alert/ladder.ts',
        'Math.max(wait, outcome.retryAfterMs ?? 0)',
        'outcome.retryAfterMs ?? wait',
      ),
    ],
    test: 'test/domain/alert-machine.test.ts',
  },
  {
    name: 'one idempotency key for all attempts (A11)',
    edits: [
      edit(
        'activities/deliver.ts',
        'idempotencyKey: idempotencyKey(delivery.id),',
        'idempotencyKey: idempotencyKey(`${delivery.id}/${String(attempt)}`),',
      ),
    ],
    test: 'test/contract/activities.test.ts',
  },
  {
    name: 'the signature covers the body',
    edits: [
      edit(
        'channels/webhook-signature.ts',
        "createHmac('sha256', key).update(text, 'utf8')",
        "createHmac('sha256', key).update(text.slice(0, 8), 'utf8')",
      ),
    ],
    test: 'test/contract/channel-webhook.test.ts',
  },
  {
    name: 'a late crossing says that it is late (B4)',
    edits: [
      edit('domain/budget/late.ts', "priority: 'medium', late: true }", "priority: 'medium' }"),
    ],
    test: 'test/domain/budget-life.test.ts',
  },
  {
    name: 'an ended workflow is not taken for told (D-2)',
    edits: [
      edit('relay/deliver.ts', "if (answer === 'already_ended') {", 'if (answer === undefined) {'),
    ],
    test: 'test/simulation/relay-plan.test.ts',
  },
  {
    name: 'a fallback has no fallback (A5)',
    edits: [edit('domain/alert/fallback.ts', "cause === 'fallback' || fellBack", 'fellBack')],
    test: ALERT_RESPONSE,
  },
  {
    name: 'a quorum counts channels, not deliveries (A6)',
    edits: [
      edit(
        'domain/alert/result.ts',
        'new Set(accepted.map(({ route }) => route.channel)).size',
        'accepted.length',
      ),
    ],
    test: ALERT_RESPONSE,
  },
  {
    name: 'a summary is not held by the storm it sums up (A14)',
    edits: [
      edit(
        'ledger/deliveries.ts',
        "return sumsUp === true ? undefined : 'minute';",
        "return 'minute';",
      ),
    ],
    test: LEDGER,
    only: 'A14',
  },
  {
    name: 'a notice is told to an operator it is not about (A15)',
    edits: [
      edit(
        'domain/alert/notice.ts',
        'const route = fit ?? operators[0];',
        'const [route] = operators;',
      ),
    ],
    test: 'test/domain/alert-notice.test.ts',
  },
  {
    name: 'a text message is gated by its priority (A7)',
    edits: [
      edit('domain/alert/holds.ts', 'isUrgent(input.facts.priority)', 'input.facts.priority'),
    ],
    test: ALERT_RESPONSE,
  },
  {
    name: 'an acknowledgement ends the escalation (A8)',
    edits: [edit('domain/alert/escalation.ts', "phase !== 'firing' || ", '')],
    test: ALERT_RESPONSE,
  },
  {
    name: 'every resolved address is looked at, not one of them',
    edits: [
      edit(
        'channels/address-guard.ts',
        'addresses.every(isReachable)',
        'addresses.some(isReachable)',
      ),
    ],
    test: 'test/contract/channel-guard.test.ts',
  },
  {
    name: 'a callback without its signature is nobody’s (CB-A)',
    edits: [
      edit(
        'gateway/routes/callbacks.ts',
        'if (!reader.isSigned(received)) {',
        'if (!reader.isSigned(received) && body.length < 0) {',
      ),
    ],
    test: CALLBACKS,
  },
  {
    name: 'a signature of Resend gets old',
    edits: [
      edit(
        'gateway/callbacks/resend.ts',
        'if (Math.abs(received.now - Number(timestamp) * 1_000) > TOLERANCE_MS) return false;',
        '',
      ),
    ],
    test: CALLBACKS,
    only: 'Resend',
  },
  {
    name: 'a late `delivered` after a bounce changes nothing (RC-1)',
    edits: [
      edit(
        'ledger/receipts.ts',
        "return said === undefined || (said === 'delivered' && what === 'undelivered');",
        'return said !== what;',
      ),
    ],
    test: LEDGER,
    only: 'RC-1',
  },
  {
    name: 'a vote is taken back once it is there, not before (CR-2)',
    edits: [
      edit(
        'relay/callbacks.ts',
        'deliveries.filter(({ hasVote }) => hasVote)',
        'deliveries.filter(() => true)',
      ),
    ],
    test: 'test/simulation/relay-callbacks.test.ts',
  },
  {
    name: 'what was raised after the word is not what it was said of (T9)',
    edits: [
      edit('relay/callbacks.ts', 'Math.min(said.occurredAt + CLOCK_SKEW_MS, receivedAt)', 'now()'),
    ],
    test: 'test/simulation/relay-callbacks.test.ts',
  },
  {
    name: 'a form of another site does nothing (SE-3)',
    edits: [
      edit(
        'gateway/routes/agents-page.ts',
        'if (!isOwnOrigin(sessions, c)) return render(c, who, 403, FOREIGN);',
        '',
      ),
    ],
    test: AGENTS_PAGE,
  },
  {
    name: 'a form of another session does nothing (SE-3)',
    edits: [
      edit(
        'gateway/sessions.ts',
        "isFormToken: ({ formToken }, given) => isSame(given ?? '', formToken)",
        "isFormToken: ({ formToken }, given) => isSame((given ?? '').slice(0, 0), formToken.slice(0, 0))",
      ),
    ],
    test: AGENTS_PAGE,
  },
  {
    name: 'a link to an alert ends (G-L4)',
    edits: [
      edit(
        'gateway/routes/alert-page.ts',
        'if (now() >= expiresAt) return show(c, 410, expiredPage(id));',
        '',
      ),
    ],
    test: 'test/contract/gateway-alert-page.test.ts',
  },
  {
    name: 'a history holds every command that was given',
    edits: [
      edit(
        'domain/alert/reduce.ts',
        'if (state.writing > 0 || state.unwritten.length === 0)',
        'if (true as boolean)',
      ),
    ],
    test: 'test/replay/replay.test.ts',
    only: 'alert-accepted decides the same',
  },
  {
    name: 'a kill that a raise lifted holds again after it (K4)',
    edits: [
      edit(
        'domain/budget/thresholds.ts',
        "else if (route.channel === 'kill') killing.push(route);",
        '',
      ),
    ],
    test: 'test/domain/budget-life.test.ts',
  },
  {
    name: 'a ceiling cuts what is above it (C1)',
    edits: [
      edit(
        'domain/configuration/layers.ts',
        'given.amount > entry.amount;',
        'given.amount < entry.amount;',
      ),
    ],
    test: 'test/domain/layers.test.ts',
    only: 'whatever is synced',
  },
  {
    name: 'an operator’s thresholds join the synced ones (C1)',
    edits: [
      edit(
        'domain/configuration/layers.ts',
        'sortThresholds(mergeThresholds(given.thresholds, thresholds))',
        'given.thresholds',
      ),
    ],
    test: 'test/domain/layers.test.ts',
    only: 'whatever is synced',
  },
  {
    name: 'an end is exact (C1)',
    edits: [edit('domain/configuration/layers.ts', 'until > now;', 'until >= now;')],
    test: 'test/domain/layers.test.ts',
    only: 'between two ends',
  },
  {
    name: 'no batch is placed under what is over (C1)',
    edits: [edit('gateway/scopes.ts', 'changesAt <= now();', 'changesAt < 0;')],
    test: 'test/contract/gateway-limits.test.ts',
    only: 'end at their time',
  },
  {
    name: 'a row is brought to the new limits while Temporal is away (K4)',
    edits: [edit('ledger/layers-hold.ts', 'killed = l.killed,', '')],
    test: LEDGER,
    only: 'lift a kill in the row',
  },
  {
    name: 'a limit below what is spent is told (T5)',
    edits: [edit('ledger/layers-hold.ts', ' or (l.watched and period.own_calls > 0)', '')],
    test: LEDGER,
    only: 'a limit below what is spent',
  },
  {
    name: 'a block counts from the reset (C1)',
    edits: [
      edit(
        'ledger/seeds.ts',
        'addSaturating(limit.amount, baseOf(limits, dimension)).value',
        'addSaturating(limit.amount, 0).value',
      ),
    ],
    test: LEDGER,
    only: 'limits count from here',
  },
  {
    name: 'what a person set stands over the environment (C3)',
    edits: [edit('ledger/destinations.ts', 'if (author === undefined && isOthers) return;', '')],
    test: LEDGER,
    only: 'stands over the environment',
  },
  ...RIGHTS_MUTANTS,
  ...LAST_RESORT_MUTANTS,
  ...PEOPLE_MUTANTS,
  ...PUSH_MUTANTS,
  ...SILENCE_MUTANTS,
];
