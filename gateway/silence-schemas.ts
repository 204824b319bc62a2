/** The bodies and queries of silences (A13), and what is answered. */
import { z } from 'zod';
import { ANY_AGENT } from '../domain/rule.js';
import { CADENCES, DIMENSIONS, SEVERITIES } from '../domain/words.js';
import { name, pageQuery, sentence } from './schemas.js';

const moment = z.string().min(1).max(40);

const budget = z
  .strictObject({
    cadence: z.enum(CADENCES).optional(),
    dimension: z.enum(DIMENSIONS).optional(),
  })
  .refine(({ cadence, dimension }) => (cadence ?? dimension) !== undefined, {
    error: 'name a cadence, a dimension, or both',
  });

const matcher = {
  agent: name
    .refine((given) => given !== ANY_AGENT, 'to hold it for every agent leave `agent` out')
    .optional(),
  /** Only the budgets in which all agents pool. */
  organisation: z.literal(true).optional(),
  budget: budget.optional(),
  rule: name.optional().describe("The rule's name or its id."),
  severity: z.enum(SEVERITIES).optional(),
};

/** POST /v1/silences: with `id` a repeated request is the same silence. */
export const silenceBody = z
  .strictObject({
    ...matcher,
    from: moment.optional(),
    until: moment,
    reason: sentence,
    by: name.optional(),
    id: name.optional(),
  })
  .refine(
    ({ agent, organisation, budget: named, rule, severity }) =>
      [agent, organisation, named, rule, severity].some((each) => each !== undefined),
    { error: 'name an agent, a budget, a rule or a severity, or say "organisation": true' },
  )
  .refine(({ agent, organisation }) => agent === undefined || organisation === undefined, {
    error: 'name an agent, or say "organisation": true, not both',
    path: ['agent'],
  })
  .refine(({ rule, organisation }) => rule === undefined || organisation === undefined, {
    error: 'a rule is about agents: leave `organisation` out',
    path: ['rule'],
  });
export type SilenceBody = z.infer<typeof silenceBody>;

/** POST /v1/silences/{id}/end. */
export const endSilenceBody = z.strictObject({ by: name.optional() });

/** GET /v1/silences: those that hold something or will; with `all` the others, too. */
export const silencesQuery = pageQuery.extend({ all: z.stringbool().default(false) });

const at = z.int().describe('Epoch milliseconds.');
const silenceView = z.looseObject({
  ...{ id: z.string(), agent: z.string().optional(), organisation: z.literal(true).optional() },
  budget: z
    .looseObject({ cadence: z.enum(CADENCES).optional(), dimension: z.enum(DIMENSIONS).optional() })
    .optional(),
  rule: z.string().optional().describe("The rule's id."),
  ruleName: z.string().optional().describe('Absent: there is no such rule any more.'),
  ...{ severity: z.enum(SEVERITIES).optional() },
  ...{ from: at, until: at, at, by: z.string(), reason: z.string() },
  ended: z.looseObject({ by: z.string(), at }).optional().describe('Before its time, by a person.'),
});
export const silencesAnswer = z.looseObject({
  silences: z.array(silenceView),
  nextCursor: z
    .string()
    .optional()
    .describe('Give it as `cursor` for the next page; absent: that was all.'),
});
export const silenceAnswer = z.looseObject({ changed: z.boolean(), silence: silenceView });
