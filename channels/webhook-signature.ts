/**
 * Signatures over the exact bytes that are sent: the Standard Webhooks headers and, beside them,
 * `X-AgentKavach-Signature`. The latter has neither id nor time in it and so does not stop replays;
 * receivers that can should verify the former.
 */
import { createHmac } from 'node:crypto';
import { webhookSecretFault } from '../domain/webhook-secret.js';

export interface SignedParts {
  /** `webhook-id`: the idempotency key, the same on every attempt (A11). */
  readonly id: string;
  /** Epoch ms of this attempt. */
  readonly now: number;
  readonly body: string;
  /** Newest first; more than one while a secret is being rotated; none sends unsigned. */
  readonly secrets: readonly string[];
}

/** All headers of one attempt. Without a secret the id and the time stay, the signatures do not. */
export function signedHeaders({ id, now, body, secrets }: SignedParts): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  const usable = secrets.filter((secret) => secret !== '');
  // Its verifier compares the header whole, so it holds one value: the oldest secret that is
  // still valid, until the rotation's grace ends and the list is down to the new one.
  const oldest = usable.at(-1);
  if (oldest === undefined) return headers;
  const signed = `${id}.${timestamp}.${body}`;
  headers['webhook-signature'] = usable
    .map((secret) => `v1,${hmac(keyBytes(secret), signed).toString('base64')}`)
    .join(' ');
  headers['x-agentkavach-signature'] = legacySignature(oldest, body);
  return headers;
}

/** Always over the secret's text as it stands, `whsec_` included: its verifier knows no prefix. */
export function legacySignature(secret: string, body: string): string {
  return `sha256=${hmac(Buffer.from(secret, 'utf8'), body).toString('hex')}`;
}

/** `whsec_` secrets are base64 (Standard Webhooks); any other is its UTF-8 bytes. */
function keyBytes(secret: string): Buffer {
  return secret.startsWith('whsec_') && webhookSecretFault(secret) === undefined
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
