/** The bodies, queries and answers of rules and metric events. */
import { z } from 'zod';
import { ANY_AGENT, MAX_CONDITION } from '../domain/rule.js';
import { CHANNELS, PRIORITIES, type ChannelName } from '../domain/words.js';
import { ingestAnswer, warnings } from './answers.js';
import { name } from './schemas.js';

const WEEK_S = 7 * 86_400;
const channel = z.enum(CHANNELS.filter((each): each is RuleChannel => each !== 'kill'));
type RuleChannel = Exclude<ChannelName, 'kill'>;

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

const rule = z.strictObject({
  name,
  agentId: name.default(ANY_AGENT).describe('An agent, or `*` for every one.'),
  condition: z
    .string()
    .max(MAX_CONDITION)
    .describe('`metric op value`, as `error_rate > 0.05` or `status == "failed"`.'),
  channels: z.array(channel).min(1).max(6).refine(unique, 'names a channel twice'),
  priority: z.enum(PRIORITIES).default('medium'),
  cooldownSeconds: z.int().min(0).max(WEEK_S).default(300).describe('0: every match is an alert.'),
  userIds: z
    .array(name)
    .max(500)
    .default([])
    .refine(unique, 'names somebody twice')
    .describe('Recipients; none: the operators.'),
  by: name.optional(),
});

/** POST /v1/rules and PUT /v1/rules/{id}. */
export const ruleBody = rule;
export type RuleBody = z.infer<typeof ruleBody>;
export const removeRuleBody = z.object({ by: name.optional() });
export const rulePath = z.object({ id: z.string().max(200) });
export const rulesQuery = z.object({ agent: name.optional() });

const ruleView = z.looseObject({
  id: z.string(),
  name: z.string(),
  agentId: z.string(),
  condition: z.string(),
  channels: z.array(z.enum(CHANNELS)),
  priority: z.enum(PRIORITIES),
  cooldownSeconds: z.number(),
  userIds: z.array(z.string()),
  by: z.string(),
  at: z.int().describe('When it was made or changed last, epoch milliseconds.'),
});
export const rulesAnswer = z.looseObject({
  rev: z.int().min(0).describe('Grows with every change of a rule.'),
  rules: z.array(ruleView),
});
export const ruleAnswer = z.looseObject({ changed: z.boolean(), rule: ruleView, warnings });

/** POST /v1/events, for the document: events are read one by one (metric-event.ts). */
const metricEvent = z.looseObject({
  agent_id: name,
  metrics: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
  timestamp: z.string().optional().describe('ISO 8601; UTC where it names no zone.'),
  idempotency_key: name.optional(),
});
export const metricsBody = z.union([metricEvent, z.object({ events: z.array(metricEvent) })]);
export const metricsAnswer = ingestAnswer.extend({
  matches: z.int().min(0).describe('How often a condition was met.'),
});
