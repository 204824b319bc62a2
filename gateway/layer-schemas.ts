/** The bodies and queries of what operators set: limits, raises, destinations, settings, audit. */
import { z } from 'zod';
import { CADENCES, CHANNELS, DIMENSIONS } from '../domain/words.js';
import { name, pageQuery, secretText, sentence } from './schemas.js';

const target = z.string().min(1).max(2_048);
const moment = z.string().min(1).max(40);

/** Whom it is about: an agent, or, said in so many words, all of them. */
const whom = { agent: name.optional(), organisation: z.literal(true).optional() };
const isOneOfThem = ({ agent, organisation }: { agent?: unknown; organisation?: unknown }) =>
  (agent === undefined) !== (organisation === undefined);
const WHOM = { error: 'name an agent, or say "organisation": true', path: ['agent'] };

const way = {
  channel: z.enum(CHANNELS),
  /** An address, or the reference of one that is known; neither: the channel's default (C3). */
  target: target.optional(),
  destination: name.optional(),
  secret: secretText.min(1).optional(),
};
export const wayOut = z.strictObject(way);
export type WayOut = z.infer<typeof wayOut>;

const threshold = z.strictObject({ ratio: z.number(), ...way });

const limit = z.strictObject({
  cadence: z.enum(CADENCES),
  dimension: z.enum(DIMENSIONS).default('cost'),
  kind: z.enum(['limit', 'ceiling', 'thresholds']).default('limit'),
  /** USD, tokens, calls or ms. */
  amount: z.number().positive().optional(),
  enforcement: z.enum(['alert', 'block']).default('alert'),
  thresholds: z.array(threshold).max(50).default([]),
});
export type LimitBody = z.infer<typeof limit>;

/** POST /v1/limits. */
export const limitsBody = z
  .strictObject({
    ...whom,
    limits: z.array(limit).min(1).max(24),
    until: moment.optional(),
    reason: sentence.optional(),
    by: name.optional(),
  })
  .refine(isOneOfThem, WHOM);

const which = {
  ...whom,
  cadence: z.enum(CADENCES).optional(),
  dimension: z.enum(DIMENSIONS).optional(),
};

/** POST /v1/limits/remove. */
export const removeBody = z
  .strictObject({ ...which, reason: sentence.optional(), by: name.optional() })
  .refine(isOneOfThem, WHOM);

/** POST /v1/raises: `id` makes a repeated request the same raise. */
export const raiseBody = z
  .strictObject({
    ...which,
    amount: z.number().positive(),
    until: moment,
    reason: sentence,
    by: name.optional(),
    id: name.optional(),
  })
  .refine(isOneOfThem, WHOM);

/** POST /v1/raises/{id}/end. */
export const endRaiseBody = z
  .strictObject({ ...whom, reason: sentence.optional(), by: name.optional() })
  .refine(isOneOfThem, WHOM);

/** POST /v1/resets. */
export const resetBody = z
  .strictObject({ ...which, reason: sentence, by: name.optional() })
  .refine(isOneOfThem, WHOM);

export const limitsQuery = z.object({
  agent: name.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/** POST /v1/destinations/default. */
export const defaultDestinationBody = z.strictObject({
  ...way,
  sendResolved: z.boolean().optional(),
  by: name.optional(),
});
/** POST /v1/destinations/{reference}/restore and /confirm. */
export const destinationBody = z.strictObject({ by: name.optional() });

const domain = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9-]+\.)+[a-z0-9-]{2,}$/i, 'expected a domain as acme.com');
export const emailDomainsBody = z.strictObject({
  emailDomains: z.array(domain).max(100),
  by: name.optional(),
});
export const operatorsBody = z.strictObject({
  operators: z.array(wayOut).max(20),
  by: name.optional(),
});
const level = z.strictObject({
  afterMs: z.number().int().min(0).max(86_400_000),
  routes: z.array(wayOut).min(1).max(20),
});
export const escalationBody = z.strictObject({
  escalation: z
    .strictObject({
      levels: z.array(level).min(1).max(10),
      rounds: z.number().int().min(1).max(10).default(1),
    })
    .nullable(),
  by: name.optional(),
});

export const referencePath = z.object({ reference: name });

/** GET /v1/audit. */
export const auditQuery = pageQuery.extend({
  agent: name.optional(),
  subject: z.string().max(255).optional(),
});
