/**
 * Push over the whole set: two gateways, Postgres, Temporal. Everybody is reached, on a device or
 * by email: never nobody, and never on both where a device was in time.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { noticeWorkflowId } from '../../domain/ids.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { AlertRoute, NoticeAlert } from '../../domain/alert/state.js';
import type { AlertDetailView } from '../../gateway/alert-state.js';
import { openPush, type Frame } from '../contract/push-kit.js';
import { startTestSet, type TestSet } from './set-kit.js';
import { until } from './service-kit.js';

const ORG = 'default';
/** A5: five of them wait for a device. */
const EMAIL_WITHIN_MS = 8_000;

let kit: TestSet;
let db: pg.Client;
beforeAll(async () => {
  kit = await startTestSet(
    ({ url }) => ({
      RESEND_API_KEY: 're_test',
      RESEND_BASE_URL: `${url}/resend`,
      KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
      KAVACH_EMAIL_DOMAINS: 'example.com',
    }),
    { counts: { gateway: 2, relay: 1, worker: 1 } },
  );
  db = new pg.Client({ connectionString: kit.set.databaseUrl });
  await db.connect();
}, 180_000);
afterAll(async () => {
  await db.end();
  await kit.stop();
}, 60_000);

const post = async (gateway: number, path: string, body: object): Promise<unknown> => {
  const answer = await kit.ask(gateway, path, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.ok, `${path} ${String(answer.status)}`).toBe(true);
  return answer.json();
};

const pathFor = async (gateway: number, user_id: string): Promise<string> => {
  const known = await kit.ask(gateway, `/v1/recipients/${user_id}`, { method: 'PUT', body: '{}' });
  expect(known.ok).toBe(true);
  const answer = (await post(gateway, '/v1/push/tickets', { user_id })) as { path: string };
  return answer.path;
};

const connect = async (gateway: number, person: string) => {
  const client = await openPush(kit.set.urls[gateway] ?? '', await pathFor(gateway, person));
  await until('the hello', () => client.of('hello').length === 1);
  return client;
};

const emails = (person: string) =>
  kit.sink.messages().filter(({ channel, body }) => channel === 'email' && body.includes(person));

/** An alert to this person: push first, email where that reaches nobody. Answers its id. */
async function alertTo(person: string): Promise<string> {
  const address = `${person}@example.com`;
  const { destination } = (await post(1, '/v1/destinations/default', {
    ...{ channel: 'email', target: address },
  })) as { destination: { reference: string } };
  const email = {
    channel: 'email',
    destination: destination.reference,
    recipient: person,
  } as const;
  const route: AlertRoute = { channel: 'push', recipient: person, fallback: [email] };
  const id = noticeWorkflowId(ORG, 'service', `push-${person}`);
  const facts: NoticeAlert['facts'] = {
    ...{ kind: 'notice', org: ORG, topic: 'service', agentName: 'night-shift', lines: [] },
    ...{ title: `For ${person}`, severity: 'error', priority: 'high', at: Date.now() },
  };
  const input: NoticeAlert = {
    ...{ id, org: ORG, kind: 'notice', subject: `push/${person}`, facts },
    ...{ routes: [route], policy: DEFAULT_POLICY },
  };
  await db.query(
    'insert into alert_outbox (id, org, input, due_at) values ($1, $2, $3::jsonb, $4::bigint)',
    [id, ORG, JSON.stringify(input), Date.now()],
  );
  return id;
}

const detail = async (id: string): Promise<AlertDetailView | undefined> => {
  const answer = await kit.ask(1, `/v1/alerts/${encodeURIComponent(id)}`);
  return answer.ok ? ((await answer.json()) as AlertDetailView) : undefined;
};

const over = (id: string): Promise<AlertDetailView> =>
  until(
    'its end',
    async () => {
      const found = await detail(id);
      return found?.alert.phase === 'resolved' && found;
    },
    30_000,
  );

const statuses = ({ deliveries }: AlertDetailView) =>
  deliveries.map(({ channel, status }) => [channel, status]);

test('two devices on two gateways have it, and one acknowledgement ends it for both', async () => {
  const [here, there] = [await connect(0, 'ada'), await connect(1, 'ada')];
  const stranger = await connect(0, 'eve');
  const id = await alertTo('ada');
  const [first, second] = await Promise.all(
    [here, there].map((client) => until('the alert', () => client.of('notification')[0], 30_000)),
  );
  expect(first).toEqual(second);
  expect(first).toMatchObject({ title: 'For ada', priority: 'high', agent_id: 'night-shift' });
  here.ack(first!.id!);
  for (const client of [here, there]) {
    const taken = await until('the word', () => client.of('acknowledged')[0]);
    expect(taken).toEqual({ type: 'acknowledged', id: first!.id });
  }
  const ended = await over(id);
  expect(statuses(ended)).toEqual([['push', 'accepted']]);
  expect(ended.deliveries[0]?.attempts).toMatchObject([{ outcome: { kind: 'accepted' } }]);
  expect(emails('ada')).toEqual([]);
  expect(stranger.of('notification')).toEqual([]);
}, 120_000);

test('A5: nobody is connected: the email follows at once, and the alert waits for whoever comes', async () => {
  const id = await alertTo('bob');
  await until('the email', () => emails('bob').length === 1, 30_000);
  const ended = await over(id);
  expect(statuses(ended)).toEqual([
    ['push', 'failed'],
    ['email', 'accepted'],
  ]);
  const client = await connect(1, 'bob');
  await until('what was missed', () => client.of('notification').length === 1);
}, 120_000);

test('A5: connected, and nobody says a word: the email follows after 5 s', async () => {
  const client = await connect(1, 'bert');
  const id = await alertTo('bert');
  await until('the alert', () => client.of('notification').length === 1, 30_000);
  expect(emails('bert')).toEqual([]);
  const { journal } = await over(id);
  const at = (what: string): number => journal.find((entry) => entry.what === what)?.at ?? NaN;
  expect(at('fallback') - at('offered')).toBeGreaterThanOrEqual(5_000);
  expect(emails('bert')).toHaveLength(1);
  // What the record says of it, once a relay has looked.
  await until(
    'the record',
    async () =>
      (await detail(id))?.deliveries[0]?.attempts[0]?.outcome?.kind === 'permanent_recipient',
  );
}, 120_000);

test('a gateway is killed with its sockets open: the email comes within 8 s', async () => {
  const client = await connect(0, 'carol');
  await kit.set.gateways[0]!.kill();
  const id = await alertTo('carol');
  expect((await client.closed).code).toBe(1006);
  const [email] = await until(
    'the email',
    () => emails('carol').length > 0 && emails('carol'),
    30_000,
  );
  const { alert } = await over(id);
  expect(email!.at - alert.raisedAt).toBeLessThan(EMAIL_WITHIN_MS);
  expect(emails('carol')).toHaveLength(1);
  await kit.set.gateways[0]!.serving();
}, 120_000);

test('a gateway is killed with an alert on its way: the client of the guide has it from the other one', async () => {
  const href = new URL('../../examples/push/client.js', import.meta.url).href;
  const { connectPush } = (await import(href)) as {
    connectPush: (options: object) => () => void;
  };
  const shown: Frame[] = [];
  const taken: string[] = [];
  let gateway = 0;
  // What every browser has, and Node 20 has not.
  Object.assign(globalThis, { WebSocket });
  const end = connectPush({
    // What a load balancer does: whoever comes again meets a gateway that is there.
    url: { toString: () => (kit.set.urls[gateway] ?? '').replace('http', 'ws') },
    getTicket: async () => (await pathFor(1, 'dora')).split('ticket=')[1],
    onAlert: (frame: Frame, acknowledge: () => void) => {
      shown.push(frame);
      acknowledge();
    },
    onTaken: (id: string) => taken.push(id),
  });
  try {
    const sessions = async () =>
      (await db.query("select from push_session where recipient = 'dora'")).rowCount ?? 0;
    await until('the connection', async () => (await sessions()) === 1);
    const killed = kit.set.gateways[0]!.kill();
    gateway = 1;
    const id = await alertTo('dora');
    await killed;
    const ended = await over(id);
    await until('the alert', () => shown.length > 0);
    expect(shown.map(({ title }) => title)).toEqual(['For dora']);
    await until('the word that it was taken', () => taken.length > 0);
    expect(taken).toEqual([shown[0]?.id]);
    // Who came again in time was reached there; else the email has told it: never nobody.
    const told = statuses(ended).filter(([, status]) => status === 'accepted');
    expect(told.length).toBe(1);
    expect(emails('dora')).toHaveLength(told[0]?.[0] === 'email' ? 1 : 0);
  } finally {
    end();
  }
}, 120_000);

test('a gateway that ends in order sends its clients to the other one', async () => {
  await kit.set.gateways[0]!.serving();
  const client = await connect(0, 'finn');
  const pausing = kit.set.gateways[0]!.pause();
  expect((await client.closed).code).toBe(1012);
  await pausing;
  const again = await connect(1, 'finn');
  const id = await alertTo('finn');
  const alert = await until('the alert', () => again.of('notification')[0], 30_000);
  again.ack(alert.id!);
  expect(statuses(await over(id))).toEqual([['push', 'accepted']]);
  await kit.set.gateways[0]!.resume();
}, 120_000);
