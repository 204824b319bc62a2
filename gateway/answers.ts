/**
 * What the routes answer, as far as it is promised: more members may come, and clients are to
 * ignore what they do not know. Money is in nano-USD, times are epoch milliseconds.
 */
import { z } from 'zod';
import { routingView } from './people-schemas.js';
import { CADENCES, CHANNELS, DIMENSIONS, KEY_SCOPES } from '../domain/words.js';

const whole = z.int().min(0);
const at = z.int().describe('Epoch milliseconds.');
const nextCursor = z
  .string()
  .optional()
  .describe('Give it as `cursor` for the next page; absent: that was all.');
const key = z.looseObject({
  org: z.string(),
  scope: z.string().describe('`org`, or `agent:<name>`.'),
  cadence: z.enum(CADENCES),
  period: z.string(),
});
const window = z.looseObject({ startsAt: at, endsAt: at.optional(), zone: z.string() });
const amounts = z
  .looseObject({ cost: whole, tokens: whole, calls: whole })
  .meta({ description: 'Nano-USD, tokens, calls.' });
const limits = z.looseObject({ rev: whole, limits: z.array(z.looseObject({})) });

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong, and what to do.'),
    path: z.string().optional().describe('Where in the input: `budgets[0].limit_value`.'),
    request_id: z.string().describe('The log has it, too.'),
  })
  .describe('RFC 9457.');

export const healthAnswer = z.looseObject({ status: z.string() });

const eventFaults = z.array(z.looseObject({ index: whole, path: z.string(), message: z.string() }));
export const ingestAnswer = z.looseObject({
  accepted: whole,
  duplicates: whole,
  rejected: eventFaults.describe('The first hundred; GET /v1/quarantine has them.'),
  rejected_count: whole,
  warnings: eventFaults
    .optional()
    .describe('Of events that count, without the lease they named; the first hundred.'),
  request_id: z.string(),
});

export const syncAnswer = z.looseObject({
  status: z.literal('ok'),
  changed: z.boolean(),
  warnings: z.array(z.string()),
  stopped: z.looseObject({}).optional(),
  killed: z.looseObject({}).optional(),
});

export const runAnswer = z.looseObject({
  status: z.literal('ok'),
  period_id: z.string(),
  request_id: z.string(),
});

const stopView = z.looseObject({ agent: z.string(), at, by: z.string(), reason: z.string() });
export const warnings = z
  .array(z.string())
  .optional()
  .describe('What was done is not all that was meant, perhaps; absent: nothing to say.');
export const stopAnswer = z.looseObject({
  ...{ changed: z.boolean(), stopped: stopView.optional() },
  warnings,
});
export const resumeAnswer = z.looseObject({ changed: z.boolean(), warnings });
export const stoppedAnswer = z.looseObject({ stopped: z.array(stopView), nextCursor });

export const budgetView = z.looseObject({
  id: z.string(),
  key,
  window,
  name: z.string(),
  state: z.enum(['open', 'closed', 'parked']),
  blocked: z.boolean(),
  limits,
  spent: z.record(z.enum(DIMENSIONS), whole),
  status: z.array(
    z.looseObject({
      dimension: z.enum(DIMENSIONS),
      limit: whole,
      spent: whole,
      perHour: z.number(),
      exhausted: z.boolean(),
      exhaustsAt: at.optional(),
    }),
  ),
  leased: amounts.describe('What stays counted of the leases in it, beside what is spent.'),
  holders: whole.describe('Guards that hold something and were heard of.'),
  vanished: amounts.describe('The part of `leased` whose holders were not heard of any more.'),
  guarded: z
    .enum(['leased', 'mixed', 'none'])
    .describe('`leased`: all of it came with leases, so the limit is not passed.'),
});
export const budgetsAnswer = z.looseObject({ budgets: z.array(budgetView), nextCursor });
export const statusAnswer = z.looseObject({
  now: at,
  usage: z.looseObject({ events: whole, cost: whole, tokens: whole }),
  stopped: z.array(stopView),
  budgets: z.array(budgetView).describe('Open periods, at most 500.'),
  relay: z.looseObject({ due: whole, oldestMs: whole, parked: whole }),
});
export const periodsAnswer = z.looseObject({
  now: at,
  periods: z.array(
    z.looseObject({ key, window, name: z.string(), limits, notify: z.looseObject({}) }),
  ),
});
export const quarantineAnswer = z.looseObject({
  events: z.array(z.looseObject({ at, path: z.string(), problem: z.string(), raw: z.string() })),
  nextCursor,
});

export const alertView = z.looseObject({
  id: z.string(),
  subject: z.string(),
  phase: z.enum(['firing', 'acknowledged', 'resolved']),
  exhausted: z.boolean().describe('Nobody was reached.'),
  raisedAt: at,
  facts: z.looseObject({}),
  noticeTitle: z.string().optional().describe("In lists: of an agent's notice, its own title."),
});
export const alertsAnswer = z.looseObject({ alerts: z.array(alertView), nextCursor });
export const alertAnswer = z.looseObject({
  alert: alertView.extend({ code: z.string() }),
  deliveries: z.array(
    z.looseObject({ id: z.string(), channel: z.enum(CHANNELS), status: z.string() }),
  ),
  journal: z.array(z.looseObject({ no: whole, at, what: z.string() })),
  attempts: z.array(z.looseObject({ deliveryId: z.string(), attempt: whole, startedAt: at })),
  notice: z
    .looseObject({
      recipient: z.string(),
      title: z.string().optional().describe('Absent: it was kept long enough.'),
      repeats: whole.describe('Copies that came within its window and were not sent.'),
      repeatedAt: at.optional(),
    })
    .optional()
    .describe('What it tells, where an agent asked for it.'),
  routing: routingView.describe('Whom it was told, and why: each (recipient, channel) once.'),
});
export const actAnswer = z.looseObject({ alert: alertView.extend({ code: z.string() }) });

export const testSendAnswer = z.looseObject({
  channel: z.enum(CHANNELS),
  outcome: z.looseObject({ kind: z.string(), reason: z.string() }),
});

export const keyView = z.looseObject({
  id: z.string().describe('Names the key, and opens nothing.'),
  name: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  agent: z.string().optional().describe('Absent: the whole organisation.'),
  hint: z.string().optional().describe('The first characters of the key.'),
  createdAt: at.optional(),
  createdBy: z.string().optional(),
  expiresAt: at.optional().describe('It was rotated: the end of its grace.'),
  revokedAt: at.optional(),
  replacedBy: z.string().optional(),
});
const secret = z
  .string()
  .optional()
  .describe('The key itself, shown this once: a repetition by Idempotency-Key comes without it.');
export const keysAnswer = z.looseObject({ keys: z.array(keyView), nextCursor });
export const newKeyAnswer = z.looseObject({ key: secret, created: keyView });
export const pushTicketAnswer = z.looseObject({
  ticket: secret,
  path: secret.describe('Where the WebSocket is opened with it.'),
  expires_at: at,
});
export const rotatedKeyAnswer = z.looseObject({ key: secret, created: keyView, old: keyView });
export const revokedKeyAnswer = z.looseObject({ changed: z.boolean(), revoked: keyView });

const scopeLimits = {
  agent: z.string().optional().describe('Absent: the organisation.'),
  zone: z.string(),
  rev: whole,
  limits: z.array(
    z.looseObject({
      cadence: z.enum(CADENCES),
      dimension: z.enum(DIMENSIONS),
      amount: whole.describe('Nano-USD, tokens, calls or ms.'),
      set: z.looseObject({ by: z.string(), at }).optional(),
    }),
  ),
  raises: z.array(z.looseObject({ id: z.string(), amount: whole, until: at, reason: z.string() })),
};
export const limitsAnswer = z.looseObject({ scopes: z.array(z.looseObject(scopeLimits)) });
export const changedLimitsAnswer = z.looseObject({
  ...{ changed: z.boolean(), warnings },
  ...scopeLimits,
});
export const resetAnswer = z.looseObject({ changed: z.boolean() });

const destinationView = z.looseObject({
  reference: z.string(),
  channel: z.enum(CHANNELS),
  health: z.enum(['ok', 'gone', 'failing']),
});
export const destinationsAnswer = z.looseObject({ destinations: z.array(destinationView) });
export const destinationAnswer = z.looseObject({ destination: destinationView });
export const changedDestinationAnswer = z.looseObject({
  changed: z.boolean(),
  destination: destinationView,
});
export const settingsAnswer = z.looseObject({
  operators: z.array(z.looseObject({ channel: z.enum(CHANNELS), destination: z.string() })),
  emailDomains: z.array(z.string()),
});
export const auditAnswer = z.looseObject({
  entries: z.array(
    z.looseObject({ id: whole, subject: z.string(), at, by: z.string(), what: z.string() }),
  ),
  nextCursor,
});

export const noticesAnswer = z.looseObject({
  notices: z.array(
    z.looseObject({
      id: whole,
      at,
      kind: z.string(),
      text: z.string(),
      destination: z.string().optional(),
      toldAt: at.optional(),
      alertId: z.string().optional(),
      unheard: z.literal(true).optional().describe('Its alert reached nobody.'),
    }),
  ),
  nextCursor,
});

export const digestsAnswer = z.looseObject({
  waiting: z
    .array(
      z.looseObject({
        cadence: z.enum(['hourly', 'daily']),
        nextAt: at,
        total: whole,
        mail: z.looseObject({ subject: z.string(), text: z.string(), html: z.string() }).optional(),
      }),
    )
    .describe('As it would be sent now.'),
  digests: z.array(
    z.looseObject({ id: z.string(), at, total: whole, end: z.looseObject({}).optional() }),
  ),
});

export const takenNoticeAnswer = z.looseObject({
  status: z.enum(['raised', 'repeated']).describe('`repeated`: counted, and nothing is sent.'),
  alert_id: z.string().describe('Of the alert that tells it: GET /v1/alerts/{id}.'),
  repeats: whole.describe('Copies of it so far.'),
  warnings,
});

export const codecAnswer = z.looseObject({ payloads: z.array(z.looseObject({})) });
