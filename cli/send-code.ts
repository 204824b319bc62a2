/**
 * Sends a contact's code through the very channels that alerts take. It is no alert: no workflow
 * and no stored message, so that the code stands nowhere but in the message itself.
 */
import type { AlertView } from '../channels/channel.js';
import type { Channels } from '../channels/index.js';
import { alertCode, idempotencyKey } from '../domain/ids.js';
import { SERVICE_NAME } from '../domain/alert/notice.js';
import type { SendCode } from '../gateway/send-code.js';
import type { Ledger } from '../ledger/ledger.js';

export interface SendCodeDependencies {
  readonly ledger: Pick<Ledger, 'newCode'>;
  readonly channels: Channels;
  /** Where this service is found. */
  readonly homeUrl: () => string;
  readonly now: () => number;
  /** Six digits that nobody can guess. */
  readonly newCode: () => string;
  /** Never the same twice: each code is a message of its own. */
  readonly newId: () => string;
  /** Of one request, ms. */
  readonly timeoutMs: number;
}

const MINUTES = 15;

export function createSendCode(dependencies: SendCodeDependencies): SendCode {
  const { ledger, channels, homeUrl, now, newCode, newId, timeoutMs } = dependencies;
  return async (contact) => {
    const channel = channels[contact.channel];
    if (channel === undefined) return { type: 'unsupported_channel' };
    const [at, code, id] = [now(), newCode(), newId()];
    const until = at + MINUTES * 60_000;
    const stored = await ledger.newCode({ ...contact, code, until, now: at });
    if (stored.type !== 'send') return stored;
    const { destination } = stored;
    const { kind, reason } = await channel.deliver({
      message: channel.render(codeView({ org: contact.org, code, id, at, url: homeUrl() })),
      destination,
      idempotencyKey: idempotencyKey(`code/${id}`),
      now: at,
      timeoutMs,
    });
    return { type: 'sent', outcome: { kind, reason }, until };
  };
}

function codeView(what: {
  readonly org: string;
  readonly code: string;
  readonly id: string;
  readonly at: number;
  readonly url: string;
}): AlertView {
  const { org, code, id, at, url } = what;
  return {
    ...{ alertId: `code/${id}`, state: 'firing', incidentKey: `kavach-code-${id}` },
    code: alertCode(id),
    facts: {
      ...{ kind: 'notice', org, topic: 'service', agentName: SERVICE_NAME, at },
      title: `${code} is your code for alerts of ${SERVICE_NAME}`,
      lines: [
        { label: 'Valid for', value: `${String(MINUTES)} minutes` },
        { label: 'Not asked for', value: 'do nothing: without the code no alert is sent here' },
      ],
      ...{ severity: 'warning', priority: 'medium' },
    },
    dashboardUrl: url,
  };
}
