/** The views that channel tests render from. */
import type { AlertView, NoticeWords } from '../../channels/channel.js';
import type { NoticeFacts, ThresholdFacts } from '../../domain/alert/facts.js';

const FACTS: ThresholdFacts = {
  org: 'acme',
  agentName: 'research-bot',
  dimension: 'cost',
  cadence: 'daily',
  thresholdBps: 8_000,
  spent: 4_130_000_000,
  limit: 5_000_000_000,
  severity: 'warning',
  priority: 'medium',
  resetsAt: Date.UTC(2026, 10, 22),
  zone: 'Europe/London',
  at: Date.UTC(2026, 10, 21, 12, 34, 56, 789),
};

export function firingView(
  facts: Partial<ThresholdFacts> = {},
): AlertView & { readonly facts: ThresholdFacts } {
  return {
    incidentKey: 'kavach-incident',
    code: 'K7Q2MD',
    alertId: 'alert/acme/research-bot/7',
    state: 'firing',
    facts: { ...FACTS, ...facts },
    dashboardUrl: 'https://kavach.example.com/alerts/7?org=acme&from=mail',
  };
}

export function resolvedView(): AlertView {
  return { ...firingView(), state: 'resolved' };
}

/** The last threshold of a run, which has no end that is known. */
export function killingView(): AlertView {
  const view = firingView({
    dimension: 'tokens_total',
    cadence: 'run',
    thresholdBps: 10_000,
    spent: 1_250_000,
    limit: 1_000_000,
    severity: 'critical',
    priority: 'critical',
    kills: true,
  });
  const { resetsAt: _none, ...facts } = view.facts;
  return { ...view, facts };
}

/** Found after the period's end (B4). */
export function lateView(): AlertView {
  return firingView({ late: true });
}

/** A14. What a storm held back from one destination. */
export function noticeView(facts: Partial<NoticeFacts> = {}): AlertView {
  return {
    ...firingView(),
    incidentKey: 'kavach-notice',
    alertId: 'alert/acme/notice/storm-7',
    facts: {
      ...{ kind: 'notice', org: 'acme', topic: 'storm', agentName: 'Kavach' },
      title: '3 more alerts were raised within a minute and not sent one by one',
      lines: [
        { label: 'Held back', value: '3' },
        { label: 'Where to look', value: '`kavach alerts` lists all of them' },
      ],
      ...{ severity: 'error', priority: 'high', at: FACTS.at },
      ...facts,
    },
  };
}

/** What an agent asked to have told: a neutral title, and words of its own. */
export function wordsView(words: Partial<NoticeWords> = {}): AlertView {
  const facts = {
    topic: 'agent',
    agentName: 'support-agent',
    lines: [],
    notice: 'alert/7',
  } as const;
  return {
    ...noticeView({ ...facts, title: 'A notice of support-agent', priority: 'medium' }),
    words: {
      title: 'Nightly import finished with gaps',
      body: 'Read 1,204 of 1,210 files.\nSix are <unreadable> & were left out.',
      metadata: { run: 'import-7', missing: 6, files: ['a.csv', 'b.csv'] },
      ...words,
    },
  };
}

/** Names that try to leave the place they are put in. */
export const HOSTILE_NAMES: readonly (readonly [string, string])[] = [
  ['a Slack broadcast', '<!channel> & <@U123>'],
  ['a header of its own', 'bot\r\nBcc: everyone@example.com\r\n\r\nhello'],
  ['markup', '<img src=x onerror=alert(1)>"\'&amp;'],
  ['4,000 characters', 'n'.repeat(4_000)],
  ['4,000 characters that all need escaping', '<&>'.repeat(1_333)],
  ['emoji only', '🤖🔥👩‍👩‍👧‍👦'],
  ['2,000 emoji', '🤖'.repeat(2_000)],
  ['right to left', 'בוט\u202Etob'],
  ['template variables', '{dashboard_url} {{spent}}'],
  ['a lone surrogate', 'bot\uD83D'],
];
