/**
 * What providers say later, sent over real sockets and signed as they sign: Resend (Svix), Twilio,
 * PagerDuty V3. The parts are open, so that a test can send one twice, late, or signed wrongly.
 */
import { createHmac, randomUUID } from 'node:crypto';

export interface Callback {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers the status. */
export async function sendCallback(url: string, { body, headers }: Callback): Promise<number> {
  const response = await fetch(url, { method: 'POST', body, headers });
  await response.text();
  return response.status;
}

export interface ResendEvent {
  /** `email.bounced` */
  readonly type: string;
  readonly emailId: string;
  /** Of a bounce: `Permanent` or `Transient`. */
  readonly bounce?: string;
}

export function resendBody({ type, emailId, bounce }: ResendEvent): string {
  const detail = { message: 'The address of@example.com …', type: bounce, subType: 'General' };
  return JSON.stringify({
    type,
    created_at: new Date().toISOString(),
    data: {
      ...{ email_id: emailId, from: 'Kavach <kavach@example.com>', to: ['of@example.com'] },
      ...(bounce === undefined ? {} : { bounce: detail }),
    },
  });
}

/** `secret` as Resend shows it, `whsec_<base64>`; `at` is epoch ms. */
export function signedByResend(
  secret: string,
  body: string,
  { id = `msg_${randomUUID()}`, at = Date.now() } = {},
): Callback {
  const timestamp = String(Math.floor(at / 1_000));
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const sum = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'svix-id': id,
      'svix-timestamp': timestamp,
      'svix-signature': `v1,${sum}`,
    },
  };
}

export function twilioBody(sid: string, status: string, errorCode?: number): string {
  return new URLSearchParams({
    ...{ SmsSid: sid, SmsStatus: status, MessageStatus: status, MessageSid: sid },
    ...{ To: '+15550042424', From: '+15551234567', ApiVersion: '2010-04-01' },
    ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
  }).toString();
}

/** `url` is the one Twilio was told, which is what it signs. */
export function signedByTwilio(authToken: string, url: string, body: string): Callback {
  const fields = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1));
  const text = url + fields.map(([name, value]) => name + value).join('');
  return {
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': createHmac('sha1', authToken).update(text).digest('base64'),
    },
  };
}

export interface PagerdutyEvent {
  /** `incident.acknowledged` */
  readonly type: string;
  readonly incidentKey: string | null;
  readonly id?: string;
  /** Epoch ms. */
  readonly at?: number;
  /** Who did it; `null`: PagerDuty does not say. */
  readonly agent?: { readonly type: string; readonly summary: string } | null;
}

const ENGINEER = { type: 'user_reference', summary: 'Tenex Engineer' };

export function pagerdutyBody(event: PagerdutyEvent): string {
  const { type, incidentKey, id = randomUUID(), at = Date.now(), agent = ENGINEER } = event;
  return JSON.stringify({
    event: {
      ...{ id, event_type: type, resource_type: 'incident', agent, client: null },
      occurred_at: new Date(at).toISOString(),
      data: { id: 'PGR0VU2', type: 'incident', number: 2, incident_key: incidentKey },
    },
  });
}

/** Several secrets: the one that is being replaced, and its successor. */
export function signedByPagerduty(secrets: readonly string[], body: string): Callback {
  const signatures = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(body).digest('hex')}`,
  );
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-webhook-id': randomUUID(),
      'x-pagerduty-signature': signatures.join(','),
    },
  };
}
