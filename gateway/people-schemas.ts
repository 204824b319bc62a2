/** The bodies and answers about recipients, contacts and preferences. */
import { z } from 'zod';
import { isZone } from '../domain/period.js';
import { ANY_AGENT } from '../domain/rule.js';
import { DEFAULT_PREFERENCES, DIGEST_CADENCES } from '../domain/preferences.js';
import { minuteOfDay } from '../domain/quiet-hours.js';
import { CHANNELS, PRIORITIES } from '../domain/words.js';
import { name, pageQuery } from './schemas.js';

/** As a path has it: `.` and `..` never arrive. */
const recipientId = name.refine((id) => id !== '.' && id !== '..', 'is no name in a path');
export const recipientPath = z.object({ id: recipientId });
export const CONTACT_CHANNELS = ['email', 'sms'] as const;
export const contactPath = z.object({ id: recipientId, channel: z.enum(CONTACT_CHANNELS) });

export const recipientsQuery = pageQuery;
export const placeInNames = z.tuple([z.string()]);

/** PUT /v1/recipients/{id}. */
export const recipientBody = z.strictObject({ name: name.optional(), by: name.optional() });
/** Of what needs nothing but who says it. */
export const saidBody = z.strictObject({ by: name.optional() });
/** PUT /v1/recipients/{id}/contacts/{channel}. */
export const contactBody = z.strictObject({
  address: z.string().min(1).max(320),
  by: name.optional(),
});
/** POST /v1/recipients/{id}/contacts/{channel}/verify. */
export const codeBody = z.strictObject({
  code: z.string().regex(/^\d{6}$/, 'expected the six digits that were sent'),
  by: name.optional(),
});

const MAX_AGENTS = 1_000;
const switches = z.strictObject({
  push: z.boolean().optional(),
  email: z.boolean().optional(),
  sms: z.boolean().optional(),
});
const agents = z
  .record(name, switches)
  .refine((given) => Object.keys(given).length <= MAX_AGENTS, 'has more than 1000 agents')
  .refine((given) => !Object.hasOwn(given, ANY_AGENT), {
    error: 'is no agent: what holds for every one is said under `default`',
    path: [ANY_AGENT],
  });
const priority = z.enum(PRIORITIES);
const timeOfDay = z
  .string()
  .refine((text) => minuteOfDay(text) !== undefined, 'expected a local time as 22:00')
  .meta({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' });
const quietHours = z
  .strictObject({ from: timeOfDay, to: timeOfDay, passes: priority.default('critical') })
  .refine(({ from, to }) => from !== to, {
    error: 'is the same as `from`: quiet hours have an end',
    path: ['to'],
  });

const { digest, zone } = DEFAULT_PREFERENCES;
const wanted = {
  default: switches.default({}).describe('P1. A channel that is not named is on.'),
  agents: agents.default({}).describe('P1. By agent: what it names goes before the default.'),
  minimumPriority: z
    .strictObject({
      push: priority.optional(),
      email: priority.optional(),
      sms: priority.optional(),
    })
    .default({})
    .describe('P2. What is below it is not told on that channel.'),
  digest: z
    .strictObject({
      cadence: z.enum(DIGEST_CADENCES).default(digest.cadence),
      hour: z.int().min(0).max(23).default(digest.hour).describe('Of `daily`, local.'),
    })
    .default({ ...digest })
    .describe('P3. Where low priority waits; `off`: it is told at once.'),
  quietHours: quietHours.optional().describe('P4. What they hold is told at their end.'),
  zone: z.string().max(64).refine(isZone, 'expected an IANA name as Europe/Berlin').default(zone),
};
/** PUT /v1/recipients/{id}/preferences: the whole document; what it leaves out has its default. */
export const preferencesBody = z.strictObject({
  ...wanted,
  unsubscribed: z.boolean().optional().describe('Left out: stays as it is.'),
  by: name.optional(),
});

const at = z.int().describe('Epoch milliseconds.');
const preferencesView = z.looseObject({
  default: z.looseObject({}),
  agents: z.record(z.string(), z.looseObject({})),
  zone: z.string(),
  unsubscribed: z.boolean(),
});
const recipientView = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  preferences: preferencesView,
  contacts: z.array(
    z.looseObject({
      channel: z.enum(CONTACT_CHANNELS),
      masked: z.string(),
      destination: z.string(),
      verifiedAt: at.optional().describe('Absent: nothing but its code is sent there.'),
    }),
  ),
  createdAt: at,
  changedAt: at,
});
const codeView = z
  .looseObject({ kind: z.string(), reason: z.string(), until: at.optional() })
  .describe('What came of sending the code.');
export const recipientsAnswer = z.looseObject({
  recipients: z.array(recipientView),
  nextCursor: z.string().optional(),
});
export const recipientAnswer = z.looseObject({ recipient: recipientView });
export const changedRecipientAnswer = z.looseObject({
  changed: z.boolean(),
  recipient: recipientView,
});
export const contactAnswer = changedRecipientAnswer.extend({ code: codeView.optional() });
export const removedAnswer = z.looseObject({ changed: z.boolean() });
export const codeAnswer = z.looseObject({ code: codeView });
export const preferencesAnswer = z.looseObject({ preferences: preferencesView });
export const changedPreferencesAnswer = preferencesAnswer.extend({ changed: z.boolean() });

/** Of an alert: what was decided for each (recipient, channel), and why. */
export const routingView = z.array(
  z.looseObject({
    recipient: z.string().optional().describe("Absent: the organisation's own."),
    channel: z.enum(CHANNELS),
    what: z.enum(['send', 'hold', 'digest', 'suppress']),
    reason: z.string(),
    until: at.optional(),
    preferences: z.looseObject({}).optional().describe('What decided it.'),
  }),
);
