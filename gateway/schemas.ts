/** The bodies and queries of everything that is not hot, and how a fault in them is told. */
import { z } from 'zod';
import { CHANNELS } from '../domain/words.js';
import { describeIssue } from './issue.js';
import { Problem } from './problem.js';
import type { SentChannel } from './test-send.js';

/** Text that any store can hold. */
const textOf = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => text.trim() !== '', 'must not be empty')
    // NUL is the one character Postgres text cannot hold.
    .refine((text) => !/\0|\p{Surrogate}/u.test(text), 'has characters that are no text');
/** A name that identifies. */
const name = textOf(200);
const sentence = textOf(500);

const limitValue = z.number().positive();

const syncedBudget = z.object({
  budget_type: name,
  period: name,
  limit_value: limitValue,
});

const syncedAlert = z.object({
  channel: name,
  threshold_pct: z.number(),
  budget_type: name.default('cost'),
  target: z.string().max(2_048).nullish(),
  secret: z.string().max(512).nullish(),
});

const alerts = z.array(syncedAlert).max(500);

/** POST /v1/sync-config, as the Python SDK sends it; other fields are ignored, with a warning. */
export const syncDocument = z.looseObject({
  agent_name: name,
  budgets: z.array(syncedBudget).max(100).default([]),
  alert_configs: alerts.default([]),
  org_budget: syncedBudget.nullish(),
  org_alert_configs: alerts.nullish(),
});
export type SyncDocument = z.infer<typeof syncDocument>;
export type SyncedBudget = z.infer<typeof syncedBudget>;
export type SyncedAlert = z.infer<typeof syncedAlert>;

/** POST /v1/runs/{id} (B7). */
export const runBody = z.object({
  agent_name: name,
  what: z.enum(['started', 'heartbeat', 'ended']),
});
export const runId = name;

export const agentName = name;
/** POST /v1/agents/{agent}/stop (K2): `by` is who, else the key's name. */
export const stopBody = z.object({ reason: sentence, by: name.optional() });
export const resumeBody = z.object({ by: name.optional() });

/** A9. POST /v1/alerts/{id}/acknowledge and /resolve: `by` is who, else the key's name. */
export const actorBody = z.object({ by: name.optional(), note: sentence.optional() });

/** POST /v1/test-send: to a target, to a reference, or to the channel's default destination. */
export const testSendBody = z.object({
  channel: z.enum(CHANNELS.filter((channel): channel is SentChannel => channel !== 'kill')),
  target: z.string().max(2_048).optional(),
  secret: z.string().min(1).max(512).optional(),
  destination: name.optional(),
});

const limit = z.coerce.number().int().min(1).max(1_000);
const flag = z.stringbool();
export const statusQuery = z.object({ agent: name.optional() });
export const budgetsQuery = z.object({
  agent: name.optional(),
  open: flag.default(false),
  limit: limit.default(100),
});
export const periodsQuery = z.object({ agent: name, run: name.optional() });
export const alertsQuery = z.object({
  agent: name.optional(),
  subject: z.string().max(255).optional(),
  limit: limit.default(100),
});
export const noticesQuery = z.object({ limit: limit.default(100) });
export const quarantineQuery = z.object({ limit: limit.default(100) });

/** What a schema makes of an input; throws a `Problem` with the path of the first fault. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw unprocessable('', 'is not what was expected');
  throw unprocessable(pathText(issue.path), describeIssue(issue, input));
}

/** Understood, but not what it has to be: nothing of it was applied. */
export function unprocessable(path: string, message: string): Problem {
  return new Problem({
    status: 422,
    title: 'Bad input',
    detail: path === '' ? message : `${path}: ${message}`,
    path,
  });
}

/** `['budgets', 0, 'period'] -> budgets[0].period`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number'
        ? `${text}[${String(part)}]`
        : `${text}${text === '' ? '' : '.'}${String(part)}`,
    '',
  );
}
