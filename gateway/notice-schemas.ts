/** POST /v1/notices: what an agent asks to have told to a person. */
import { z } from 'zod';
import { CHANNELS, PRIORITIES, type ChannelName } from '../domain/words.js';
import { readIso } from './event.js';
import { name, unprocessable } from './schemas.js';

const METADATA_BYTES = 8 * 1024;
const METADATA_DEPTH = 20;
/** What is one text for people: its lines stay. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((given) => !/\0|\p{Surrogate}/u.test(given), 'has characters that are no text');

type NoticeChannel = Exclude<ChannelName, 'kill'>;
const NOTICE_CHANNELS = CHANNELS.filter((each): each is NoticeChannel => each !== 'kill');

const metadata = z
  .record(z.string(), z.unknown())
  .refine((given) => depthOf(given) <= METADATA_DEPTH, {
    error: `is nested more than ${String(METADATA_DEPTH)} deep`,
    abort: true,
  })
  .refine((given) => Buffer.byteLength(JSON.stringify(given)) <= METADATA_BYTES, {
    error: `is more than ${String(METADATA_BYTES)} bytes of JSON`,
  });

export const noticeBody = z.object({
  notification_id: name.optional().describe("The sender's own; told again where it is shown."),
  agent_id: name,
  title: name,
  body: text(10_000).default(''),
  priority: z.enum(PRIORITIES).default('medium'),
  channels: z
    .array(z.enum(NOTICE_CHANNELS))
    .min(1)
    .max(NOTICE_CHANNELS.length)
    .transform((given) => [...new Set(given)]),
  user_id: name,
  metadata: metadata.optional().describe('At most 8 KB.'),
  created_at: z
    .union([z.number(), z.string().max(40)])
    .optional()
    .describe('ISO 8601, or seconds since 1970; default: now.'),
  dedup_key: name
    .optional()
    .describe('Copies with the same are one notice for this person; default: agent and title.'),
});
export type NoticeBody = z.infer<typeof noticeBody>;

/** Epoch ms. Throws a `Problem` (422) for what is no moment. */
export function readCreatedAt(given: NoticeBody['created_at'], now: number): number {
  if (given === undefined) return now;
  const at = typeof given === 'string' ? readIso(given) : Math.round(given * 1_000);
  if (at !== undefined && Number.isSafeInteger(at)) return at;
  throw unprocessable(
    'created_at',
    'expected seconds since 1970, or an ISO 8601 time such as 2026-11-21T12:00:00Z',
  );
}

/** Without recursion: what is deep enough to be refused must not exhaust the stack first. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let level: readonly unknown[] = [value]; level.length > 0; depth += 1) {
    if (depth > METADATA_DEPTH) return depth;
    level = level
      .filter((each) => typeof each === 'object' && each !== null)
      .flatMap((each) => Object.values(each) as unknown[]);
  }
  return depth;
}
