/** A digest as Temporal's own UI shows it: who waits for what. */
import { formatUtcMinute } from '../civil.js';
import type { DigestEffect, DigestRef, DigestState } from './state.js';

/** `The hourly digest of admin-1`. */
export function digestSummary({ recipient, cadence }: DigestRef): string {
  return `The ${cadence} digest of ${recipient}`.slice(0, 200);
}

export function digestTimerSummary({ phase }: DigestState): string {
  if (phase === 'waiting') return 'Until its local hour';
  return phase === 'sending' ? 'Next attempt' : 'Try again';
}

export function digestEffectSummary(effect: DigestEffect): string {
  switch (effect.type) {
    case 'plan':
      return 'When is the next one due?';
    case 'claim':
      return 'Claim what waits';
    case 'send':
      return `Send ${String(effect.digest.total)} items, attempt ${String(effect.attempt)}`;
    case 'end':
      return `Write down: ${effect.end.result}`;
  }
}

export function digestDetails(state: DigestState): string {
  const { ref, phase, dueAt, digest, attempts, ended } = state;
  const due = dueAt === undefined ? '' : `, due ${formatUtcMinute(dueAt)}`;
  return [
    `## ${digestSummary(ref)}`,
    '',
    `**${phase}**${due}; ${String(ended)} ended so far`,
    ...(digest === undefined ? [] : ['', `\`${digest.id}\`: ${String(digest.total)} items`]),
    ...attempts.map(({ no, outcome }) => `- attempt ${String(no)}: ${outcome}`),
  ].join('\n');
}
