/** The bodies and queries of leases and of the guards' channel, and what is answered (L1 to L5). */
import { z } from 'zod';
import { CADENCES, DIMENSIONS } from '../domain/words.js';
import { LEASE_ID } from './event-lease.js';
import { name, pageQuery, sentence } from './schemas.js';

const whole = z.int().min(0);
const holder = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,100}$/, 'expected up to 100 letters, digits, . _ : or -')
  .describe('A stable id of the guard: one journal.');
const n = z.int().min(1).describe('Grows by 1 with every request of this holder.');
const lease = z
  .string()
  .regex(LEASE_ID, 'expected the id of a lease, as guard-1/7')
  .describe('`<holder>/<n>`, as it was granted.');
const amounts = z.strictObject({
  cost_nano_usd: whole,
  tokens: whole,
  calls: whole,
});
export type WireAmounts = z.infer<typeof amounts>;

/** POST /v1/leases. */
export const leaseBody = z.strictObject({
  ...{ holder, n, agent_name: name, run_id: name.optional() },
  lease: lease.optional(),
  starts: z.literal('next').optional().describe('The next period’s, within its last minute.'),
  need: amounts.describe('Without all of it nothing is granted; totals over the lease’s life.'),
  want: amounts.describe('What it would like; below what is granted it gives back.'),
});
export type LeaseBody = z.infer<typeof leaseBody>;

/** POST /v1/leases/close: `last_seq` by the guard itself, `mark` by its successor. */
export const closeLeaseBody = z
  .strictObject({
    ...{ holder, n, agent_name: name, lease },
    last_seq: whole.optional().describe('All its events are 1 to this.'),
    mark: amounts.optional().describe('What may have been spent at most.'),
  })
  .refine(({ last_seq, mark }) => (last_seq === undefined) !== (mark === undefined), {
    error: 'say `last_seq` or `mark`, one of them',
    path: ['last_seq'],
  });
export type CloseLeaseBody = z.infer<typeof closeLeaseBody>;

/** POST /v1/leases/{id}/release. */
export const releaseBody = z.strictObject({ by: name.optional(), reason: sentence });

const LEASE_STATES = ['open', 'closing', 'closed', 'abandoned', 'released'] as const;

/** GET /v1/leases. */
export const leasesQuery = pageQuery.extend({
  agent_name: name.optional(),
  period_id: z.string().max(1_024).optional(),
  state: z.enum(LEASE_STATES).optional(),
  holding: z.stringbool().default(false).describe('Only those that hold something.'),
});

/** GET /v1/guard. */
export const guardQuery = z.object({ agent_name: name, run_id: name.optional() });

const at = z.int().describe('Epoch milliseconds.');
const budget = z.looseObject({
  ...{ period_id: z.string(), scope: z.enum(['agent', 'org']), cadence: z.enum(CADENCES) },
  dimension: z.enum(DIMENSIONS),
  ...{ limit: whole, spent: whole, leased: whole },
  resets_at: at.nullable(),
});
const granted = z.looseObject({
  ...{ id: z.string(), granted: z.looseObject(amounts.shape) },
  ...{ expires_in_ms: whole, valid_in_ms: whole },
  ends_in_ms: whole.nullable(),
  budgets: z.array(budget),
});
/** Durations count from the sending of the request (L5). */
export const leaseAnswer = z.looseObject({
  type: z.enum(['granted', 'refused', 'unlimited']),
  lease: granted.optional().describe('As it stands; absent: there is none.'),
  wanted: z.boolean().optional().describe('Others are refused: give back what is not reserved.'),
  why: z.enum(['exhausted', 'killed', 'stopped', 'ended']).optional(),
  budget: budget.optional().describe('The one without room.'),
  others_hold: z.boolean().optional().describe('What others hold may come back: ask again.'),
  reason: z.string().optional(),
  renew_in_ms: whole.optional(),
  now: at,
});
export const closedLeaseAnswer = z.looseObject({
  type: z.enum([...LEASE_STATES, 'unknown']),
  lease: z.string(),
});
export const leasesAnswer = z.looseObject({
  leases: z.array(
    z.looseObject({
      ...{ id: z.string(), agent_name: z.string(), run_id: z.string().optional() },
      ...{ holder: z.string(), state: z.enum(LEASE_STATES) },
      ...{ granted: z.looseObject(amounts.shape), settled: z.looseObject(amounts.shape) },
      remainder: z.looseObject(amounts.shape).describe('What of it stays counted.'),
      period_ids: z.array(z.string()),
      ...{ opened_at: at, renewed_at: at, expires_at: at, closed_at: at.optional() },
      vanished: z.boolean().describe('Not closed, and not heard of since it expired.'),
      why: z.string().optional().describe('Why it ended.'),
    }),
  ),
  nextCursor: z
    .string()
    .optional()
    .describe('Give it as `cursor` for the next page; absent: that was all.'),
});
export const releasedAnswer = z.looseObject({ lease: z.string(), state: z.literal('released') });
