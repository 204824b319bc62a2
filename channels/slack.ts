/**
 * Slack incoming webhooks. Success is 200 with a body of exactly `ok`. Slack drops no repeats: an
 * ambiguous attempt is sent once more, as a double is better than silence (A4).
 */
import type { Outcome, OutcomeKind } from '../domain/alert/outcome.js';
import { PUBLIC_ONLY, type Guard } from './address-guard.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { kindOfStatus, outcomeOf, outcomeOfAnswer, outcomeOfFault, unsendable } from './errors.js';
import { post, startClock, type HttpResult } from './http.js';
import { renderSlack, withoutBlocks } from './slack-message.js';
import { parseTarget, SLACK_HOSTS } from './target.js';

/** What Slack says in plain text; the status it comes with varies, so the word decides. */
const WORDS: Readonly<Record<string, OutcomeKind>> = {
  invalid_payload: 'permanent_config',
  invalid_blocks: 'permanent_config',
  invalid_attachments: 'permanent_config',
  msg_blocks_too_long: 'permanent_config',
  no_text: 'permanent_config',
  too_many_attachments: 'permanent_config',
  action_prohibited: 'permanent_config',
  posting_to_general_channel_denied: 'permanent_config',
  // The webhook or its channel is gone: its owner has to connect it again.
  user_not_found: 'permanent_recipient',
  channel_not_found: 'permanent_recipient',
  channel_is_archived: 'permanent_recipient',
  invalid_token: 'permanent_recipient',
  no_service: 'permanent_recipient',
  no_service_id: 'permanent_recipient',
  no_active_hooks: 'permanent_recipient',
  no_team: 'permanent_recipient',
  team_disabled: 'permanent_recipient',
  rollup_error: 'transient',
};

/** A message without blocks may still pass, so it is tried at once. */
const BLOCK_FAULTS: ReadonlySet<string> = new Set([
  'invalid_blocks',
  'invalid_payload',
  'msg_blocks_too_long',
]);

export interface SlackOptions {
  /** Lifts the pin to Slack's hosts for what an operator allows. @default nothing is allowed */
  readonly guard?: Guard;
}

export function createSlackChannel({ guard = PUBLIC_ONLY }: SlackOptions = {}): Channel {
  return {
    name: 'slack',
    idempotent: false,
    render: (view, template) => ({
      body: renderSlack(view, template),
      contentType: 'application/json',
    }),
    deliver: (request) => deliver(request, guard),
  };
}

async function deliver(request: DeliveryRequest, guard: Guard): Promise<Outcome> {
  const url = parseTarget(request.destination.address, guard, SLACK_HOSTS);
  if (typeof url === 'string') return unsendable(url);
  const { body, contentType } = request.message;
  const clock = startClock(request.timeoutMs);
  const headers = { 'content-type': contentType };
  const send = (text: string): Promise<HttpResult> =>
    post({ url, headers, body: text, timeoutMs: clock.leftMs(), guard });

  const first = await send(body);
  const word = refusedWord(first);
  const outcome = outcomeOfResult(first, request.now);
  if (word === undefined || !BLOCK_FAULTS.has(word) || !hasBlocks(body)) return outcome;
  // Too late for a second request: the refusal stands.
  if (clock.leftMs() < 1) return outcome;
  const second = outcomeOfResult(await send(withoutBlocks(body)), request.now);
  return { ...second, reason: `${second.reason} (text only, after ${word})` };
}

function outcomeOfResult(result: HttpResult, now: number): Outcome {
  if (result.kind !== 'answer') return outcomeOfFault(result);
  const { status, headers } = result;
  const word = refusedWord(result);
  if (word !== undefined) {
    // Any word may come with a 429 or 5xx, and then it passes.
    const known = WORDS[word] ?? 'permanent_config';
    const byStatus = kindOfStatus(status);
    const kind = byStatus === 'throttled' || byStatus === 'transient' ? byStatus : known;
    return outcomeOf({ kind, status, word, retryAfter: headers['retry-after'], now });
  }
  if (kindOfStatus(status) !== 'accepted') return outcomeOfAnswer(result, now);
  if (status === 200 && result.body === 'ok') return { kind: 'accepted', reason: 'ok', status };
  return outcomeOf({ kind: 'ambiguous', status, word: 'without ok', now });
}

/** Slack's own word for its refusal; anything else it says is not repeated (C-4). */
function refusedWord(result: HttpResult): string | undefined {
  if (result.kind !== 'answer') return undefined;
  const word = result.body.trim();
  return Object.hasOwn(WORDS, word) ? word : undefined;
}

function hasBlocks(body: string): boolean {
  try {
    return 'blocks' in (JSON.parse(body) as object);
  } catch {
    return false;
  }
}
