/**
 * Rotating a webhook's secret: while both are valid, receivers with the new one and receivers with
 * the old one verify the same request, each with a verifier that is not ours.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { createWebhookChannel } from '../../channels/webhook.js';
import { startSink, type Sink, type SinkRequest } from '../../fakes/sink.js';
import { firingView } from './channel-views.js';
import { LOOPBACK_GUARD } from './loopback-guard.js';

/** What the product tells its customers to write, to the letter. */
const SNIPPET = `
import hmac
import hashlib

def verify(body: bytes, signature: str, secret: str) -> bool:
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)
`;
const ASK = `
import base64, json, sys
given = json.load(sys.stdin.buffer)
print(json.dumps([verify(base64.b64decode(given["body"]), given["signature"], secret) for secret in given["secrets"]]))
`;

/** Which of the secrets the customers' Python verifies the request with. */
function verifiedInPython(request: SinkRequest, secrets: readonly string[]): readonly boolean[] {
  const body = Buffer.from(request.body, 'utf8').toString('base64');
  const signature = request.headers['x-agentkavach-signature'];
  const { error, status, stdout, stderr } = spawnSync('python3', ['-c', SNIPPET + ASK], {
    input: JSON.stringify({ body, signature, secrets }),
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw new Error('Customers verify in Python: this test needs python3 on PATH', {
      cause: error,
    });
  }
  if (status !== 0) throw new Error(`The Python of the product document failed: ${stderr}`);
  return JSON.parse(stdout) as boolean[];
}

/** Likewise with the package of Standard Webhooks. */
function verifiedByPackage(request: SinkRequest, secrets: readonly string[]): readonly boolean[] {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  return secrets.map((secret) => {
    const verifier = secret.startsWith('whsec_')
      ? new Webhook(secret)
      : new Webhook(Buffer.from(secret, 'utf8'), { format: 'raw' });
    try {
      verifier.verify(request.body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

let sink: Sink;
beforeAll(async () => {
  sink = await startSink();
});
afterAll(() => sink.stop());

async function requestSignedWith(secrets: readonly string[]): Promise<SinkRequest> {
  sink.clear();
  const channel = createWebhookChannel({ guard: LOOPBACK_GUARD });
  const outcome = await channel.deliver({
    message: channel.render(firingView({ agentName: 'Bücherwurm 🐛 <b>' })),
    destination: { address: `${sink.url}/webhook/x`, secrets },
    idempotencyKey: 'one-delivery',
    now: Date.now(),
    timeoutMs: 5_000,
  });
  expect(outcome).toMatchObject({ kind: 'accepted' });
  const [request] = sink.requests;
  if (request === undefined) throw new Error('The sink saw no request.');
  return request;
}

const whsec = (): string => `whsec_${randomBytes(24).toString('base64')}`;

describe.each([
  ['plain', 'old-secret', 'new-secret'],
  ['not ASCII', 'größe-日本-🔑', 'naïve-пароль'],
  ['of Standard Webhooks', whsec(), whsec()],
  ['plain before and of Standard Webhooks now', 'old-secret', whsec()],
])('with secrets that are %s', (_name, old, renewed) => {
  const both = [old, renewed];

  test('before the rotation the old one verifies', async () => {
    const request = await requestSignedWith([old]);
    expect(verifiedByPackage(request, both)).toEqual([true, false]);
    expect(verifiedInPython(request, both)).toEqual([true, false]);
  });

  test('in the grace both verify, and the header that holds one value keeps the old', async () => {
    const request = await requestSignedWith([renewed, old]);
    expect(verifiedByPackage(request, both)).toEqual([true, true]);
    expect(verifiedInPython(request, both)).toEqual([true, false]);
    expect(String(request.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  test('after it only the new one does', async () => {
    const request = await requestSignedWith([renewed]);
    expect(verifiedByPackage(request, both)).toEqual([false, true]);
    expect(verifiedInPython(request, both)).toEqual([false, true]);
  });
});

test('a second rotation inside the grace keeps all three', async () => {
  const secrets = ['newest', 'middle', 'oldest'];
  const request = await requestSignedWith(secrets);
  expect(verifiedByPackage(request, secrets)).toEqual([true, true, true]);
  expect(verifiedInPython(request, secrets)).toEqual([false, false, true]);
});

test('what was changed on the way verifies with neither', async () => {
  const request = await requestSignedWith(['new', 'old']);
  const changed = { ...request, body: request.body.replace('firing', 'fining') };
  expect(changed.body).not.toBe(request.body);
  expect(verifiedByPackage(changed, ['new', 'old'])).toEqual([false, false]);
  expect(verifiedInPython(changed, ['new', 'old'])).toEqual([false, false]);
});
