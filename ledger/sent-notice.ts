/** Notices of agents: what is taken, what came of it, and what is kept of it. */
import type { AgentNotice, NoticeWords } from '../domain/alert/agent-notice.js';
import type { Policy } from '../domain/alert/policy.js';

export interface NoticeTerms {
  /** Frozen into the alert. */
  readonly policy: Policy;
  /** A2. A copy within so many ms is a repeat. */
  readonly windowMs: number;
  /** When it was received, epoch ms. */
  readonly now: number;
}

/** A2. `repeated`: another one stands for it, and nothing is sent. */
export interface TakenNotice {
  readonly type: 'raised' | 'repeated';
  readonly alertId: string;
  /** Copies of it so far. */
  readonly repeats: number;
}

/** As people see it; without its words where they are gone. */
export interface SentNoticeView extends Partial<NoticeWords> {
  readonly notificationId: string;
  readonly recipient: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly repeats: number;
  readonly repeatedAt?: number;
}

export interface NoticeLedger {
  /** A2. Decides in one transaction whether it is new, and then writes its alert. */
  sendNotice(notice: AgentNotice, terms: NoticeTerms): Promise<TakenNotice>;
  /** Undefined where nothing is known of it (any more). */
  noticeWords(org: string, alertId: string): Promise<NoticeWords | undefined>;
}
