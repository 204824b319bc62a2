/**
 * What an agent asks to have told to one person (spec §1: a notice): its words, the key by which
 * a copy is known (A2), and the alert it becomes. The words stay in the ledger: the alert carries
 * only where they are.
 */
import { noticeSubject, noticeWorkflowId } from '../ids.js';
import { sha256Hex } from '../hash.js';
import { severityOfPriority } from '../severity.js';
import type { ChannelName, Priority } from '../words.js';
import type { Policy } from './policy.js';
import type { NoticeAlert } from './state.js';

/** What it says, as channels render it. */
export interface NoticeWords {
  readonly title: string;
  /** May have several lines. */
  readonly body: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface AgentNotice extends NoticeWords {
  readonly org: string;
  /** Ours: one for each call. */
  readonly id: string;
  /** The sender's own. */
  readonly notificationId: string;
  readonly agent: string;
  /** Whom it is for. */
  readonly recipient: string;
  readonly priority: Priority;
  readonly channels: readonly ChannelName[];
  /** When the agent says it made it, epoch ms. */
  readonly createdAt: number;
  readonly dedupKey?: string;
}

/** A2. A copy is known again for so long, ms. */
export const NOTICE_WINDOW_MS = 300_000;

/** A2. What two copies for one recipient have in common; a key that was given counts alone. */
export function noticeKey({ dedupKey, agent, title, recipient }: AgentNotice): string {
  const parts = dedupKey === undefined ? ['words', agent, title, recipient] : ['key', dedupKey];
  return sha256Hex(JSON.stringify(parts));
}

/** Its alert, before it was routed; the title is a neutral word. */
export function alertOfNotice(notice: AgentNotice, policy: Policy): NoticeAlert {
  const { org, id, agent, recipient, priority, channels, createdAt } = notice;
  const alertId = noticeWorkflowId(org, 'agent', id);
  return {
    ...{ id: alertId, org, kind: 'notice', subject: noticeSubject(agent) },
    facts: {
      ...{ kind: 'notice', org, topic: 'agent', agentName: agent },
      ...{ title: `A notice of ${agent}`, lines: [], notice: alertId },
      ...{ severity: severityOfPriority(priority), priority, at: createdAt },
    },
    routes: [],
    audience: { recipients: [recipient], channels },
    policy,
  };
}
