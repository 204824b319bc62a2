/**
 * What every channel has to do, whatever its provider: the right outcome for everything a server
 * can do, in bounded time (C-3), with the same bytes and key on every attempt (C-2), and without a
 * word of an address or secret in what it says (C-4). Run it from `channel-<name>.test.ts`.
 */
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Channel, OpenDestination, RenderedMessage } from '../../channels/channel.js';
import type { Outcome, OutcomeKind } from '../../domain/alert/outcome.js';
import { startSink, type Behaviour, type Sink } from '../../fakes/sink.js';
import { firingView, HOSTILE_NAMES, killingView, resolvedView } from './channel-views.js';

export interface ChannelUnderTest {
  readonly name: string;
  /** The path its requests have at the sink. */
  readonly path: string;
  /** `url` is the provider's; secrets and addresses must contain `canary`. */
  create(url: string): Channel;
  destination(url: string): OpenDestination;
  /** Statuses that its package makes something else of; tested in its own file. */
  readonly ownStatuses?: readonly number[];
}

/** Far from any hang, so that a busy machine fails no test. */
const AMPLE_MS = 5_000;
const SHORT_MS = 150;
const NOW = Date.UTC(2026, 10, 21, 12, 35, 0);

export interface Rig {
  readonly sink: Sink;
  readonly attempt: (options?: AttemptOptions) => Promise<Outcome>;
}

export interface AttemptOptions {
  readonly url?: string;
  readonly timeoutMs?: number;
  readonly body?: string;
  readonly key?: string;
  readonly now?: number;
  readonly destination?: Partial<OpenDestination>;
  readonly repeatsSince?: number;
}

/** A sink and a way to make one attempt; every outcome is searched for canaries. */
export function useRig(subject: ChannelUnderTest): () => Rig {
  let sink: Sink;
  beforeAll(async () => {
    sink = await startSink();
  });
  afterEach(() => {
    sink.clear();
  });
  afterAll(async () => {
    await sink.stop();
  });
  let count = 0;
  return () => ({
    sink,
    async attempt({
      url = sink.url,
      timeoutMs = AMPLE_MS,
      body,
      key,
      now = NOW,
      destination,
      repeatsSince,
    } = {}) {
      count += 1;
      const channel = subject.create(url);
      const idempotencyKey = key ?? `delivery-${subject.name}-${count}`;
      // PagerDuty knows a delivery by its incident; every delivery here is of another one.
      const rendered = channel.render({ ...firingView(), incidentKey: idempotencyKey });
      const opened = { ...subject.destination(url), ...destination };
      const outcome = await channel.deliver({
        message: body === undefined ? rendered : { ...rendered, body },
        destination: opened,
        ...{ idempotencyKey, now, timeoutMs },
        ...(repeatsSince === undefined ? {} : { repeatsSince }),
      });
      const said = JSON.stringify(outcome);
      expect(said).not.toMatch(/canary|127\.0\.0\.1|localhost|:\/\//i);
      for (const secret of [opened.address, ...(opened.secrets ?? [])]) {
        if (secret.length > 2) expect(said).not.toContain(secret);
      }
      expect(outcome.reason).not.toBe('');
      return outcome;
    },
  });
}

const STATUSES: readonly (readonly [number, OutcomeKind])[] = [
  [300, 'permanent_config'],
  [301, 'permanent_config'],
  [302, 'permanent_config'],
  [304, 'permanent_config'],
  [307, 'permanent_config'],
  [308, 'permanent_config'],
  [400, 'permanent_config'],
  [401, 'permanent_config'],
  [403, 'permanent_config'],
  [404, 'permanent_config'],
  [405, 'permanent_config'],
  [408, 'transient'],
  [409, 'permanent_config'],
  [410, 'permanent_recipient'],
  [413, 'permanent_config'],
  [422, 'permanent_config'],
  [425, 'transient'],
  [429, 'throttled'],
  [451, 'permanent_config'],
  [500, 'transient'],
  [501, 'transient'],
  [502, 'transient'],
  [503, 'transient'],
  [504, 'transient'],
  [529, 'transient'],
];

/** What a server can do instead of answering. */
const FAULTS: readonly (readonly [string, Behaviour, OutcomeKind])[] = [
  ['cut before the request is read', { type: 'reset', at: 'request' }, 'ambiguous'],
  ['cut instead of an answer', { type: 'reset', at: 'answer' }, 'ambiguous'],
  ['cut inside the answer', { type: 'reset', at: 'body' }, 'ambiguous'],
  ['silent before the answer', { type: 'hang', at: 'headers' }, 'ambiguous'],
  ['silent inside the answer', { type: 'hang', at: 'body' }, 'ambiguous'],
  ['dripping its answer', { type: 'drip', everyMs: 20 }, 'ambiguous'],
];

const WAITS: readonly (readonly [string, string, number | undefined])[] = [
  ['seconds', '120', 120_000],
  ['a date', new Date(NOW + 90_000).toUTCString(), 90_000],
  ['more than an hour', '7200', 3_600_000],
  ['nothing sensible', 'soon', undefined],
  ['a negative number', '-30', undefined],
  ['a date that is past', new Date(NOW - 90_000).toUTCString(), undefined],
  ['an absurd number', '99999999999999999999', undefined],
];

export function channelSuite(subject: ChannelUnderTest): void {
  describe(`${subject.name}, as every channel`, () => {
    const rig = useRig(subject);

    test('is accepted by its provider, at the first attempt', async () => {
      const { sink, attempt } = rig();
      expect(await attempt()).toMatchObject({ kind: 'accepted' });
      expect(sink.messages(subject.path)).toHaveLength(1);
    });

    test.each(STATUSES)('an error page with status %i is %s', async (status, kind) => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [
        {
          type: 'status',
          status,
          body: '<html>canary</html>',
          headers: { location: '/slack/else' },
        },
      ]);
      const outcome = await attempt();
      expect(outcome).toMatchObject({ kind, status });
      // C-3: no redirect is followed, and nothing is repeated inside an attempt.
      expect(sink.requests).toHaveLength(1);
    });

    test('every other status from 200 to 599 is what its hundred is, but for those above', async () => {
      const { sink, attempt } = rig();
      const named = new Set([
        ...STATUSES.map(([status]) => status),
        ...(subject.ownStatuses ?? []),
      ]);
      const kinds = new Map<string, number[]>();
      for (let status = 200; status <= 599; status += 1) {
        if (named.has(status)) continue;
        sink.script(subject.path, [{ type: 'status', status, body: 'canary' }]);
        const { kind } = await attempt();
        const group = `${Math.floor(status / 100)}xx ${kind}`;
        kinds.set(group, [...(kinds.get(group) ?? []), status]);
      }
      expect(sink.requests).toHaveLength(400 - named.size);
      // What is acceptance within the 200s is the provider's business; a refusal it is never.
      const groups = [...kinds.keys()].filter(
        (group) => !/^2xx (?:accepted|ambiguous)$/.test(group),
      );
      expect(groups).toEqual(['3xx permanent_config', '4xx permanent_config', '5xx transient']);
    });

    test.each(FAULTS)('a server that is %s makes it %s', async (_name, behaviour, kind) => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [behaviour]);
      const startedAt = performance.now();
      const outcome = await attempt({
        timeoutMs: behaviour.type === 'reset' ? AMPLE_MS : SHORT_MS,
      });
      expect(outcome.kind).toBe(kind);
      expect(performance.now() - startedAt).toBeLessThan(SHORT_MS + 1_500);
    });

    test('a refused connection is transient: nothing was sent', async () => {
      const { sink, attempt } = rig();
      await sink.refuse();
      try {
        expect(await attempt()).toMatchObject({ kind: 'transient' });
      } finally {
        await sink.reopen();
      }
      expect(sink.requests).toHaveLength(0);
      expect(await attempt()).toMatchObject({ kind: 'accepted' });
    });

    test('a failed TLS handshake is transient: nothing was sent', async () => {
      const { sink, attempt } = rig();
      const outcome = await attempt({ url: sink.url.replace('http:', 'https:') });
      expect(outcome).toMatchObject({ kind: 'transient' });
      expect(outcome.reason).toContain('TLS');
      expect(sink.requests).toHaveLength(0);
    });

    test('a host name that does not exist is transient', async () => {
      expect(await rig().attempt({ url: 'http://canary.invalid' })).toMatchObject({
        kind: 'transient',
      });
    });

    test('10 MiB of answer are not read, whatever the status', async () => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [
        { type: 'huge', status: 500 },
        { type: 'huge', status: 403 },
      ]);
      expect(await attempt()).toMatchObject({ kind: 'transient', status: 500 });
      expect(await attempt()).toMatchObject({ kind: 'permanent_config', status: 403 });
    });

    test('200 with junk is no refusal', async () => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [{ type: 'junk' }]);
      expect((await attempt()).kind).toMatch(/^(?:accepted|ambiguous)$/);
    });

    test('an answer without an end is left, in bounded time and memory', async () => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [{ type: 'huge', bytes: Infinity }]);
      const before = process.memoryUsage();
      const startedAt = performance.now();
      expect((await attempt()).kind).toMatch(/^(?:accepted|ambiguous)$/);
      expect(performance.now() - startedAt).toBeLessThan(AMPLE_MS);
      const after = process.memoryUsage();
      const grown = (key: 'heapUsed' | 'arrayBuffers'): number => after[key] - before[key];
      expect(grown('heapUsed') + grown('arrayBuffers')).toBeLessThan(32 * 1_048_576);
    });

    test.each(WAITS)('429 with a Retry-After of %s', async (_name, header, retryAfterMs) => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [
        { type: 'status', status: 429, headers: { 'retry-after': header } },
      ]);
      const outcome = await attempt();
      expect(outcome.kind).toBe('throttled');
      expect(outcome.retryAfterMs).toBe(retryAfterMs);
    });

    test('C-2. every attempt sends the same bytes under the same key', async () => {
      const { sink, attempt } = rig();
      sink.script(subject.path, [
        { type: 'status', status: 503 },
        { type: 'reset', at: 'answer' },
        { type: 'hang', at: 'headers' },
      ]);
      for (const no of [1, 2, 3, 4]) {
        const timeoutMs = no === 3 ? SHORT_MS : AMPLE_MS;
        await attempt({ key: 'one-delivery', timeoutMs, now: NOW + no * 30_000 });
      }
      expect(sink.requests).toHaveLength(4);
      expect(new Set(sink.requests.map(({ body }) => body)).size).toBe(1);
      expect(new Set(sink.requests.map(({ key }) => key)).size).toBe(1);
      // A12: once where the provider honours keys, at least once elsewhere.
      const { idempotent } = subject.create(sink.url);
      expect(sink.messages()).toHaveLength(idempotent ? 1 : 3);
    });

    test('C-1. rendering is pure, and knows no address or secret', () => {
      const channel = subject.create('http://127.0.0.1:1');
      for (const view of [firingView(), resolvedView(), killingView()]) {
        const message = channel.render(view);
        expect(channel.render(structuredClone(view))).toEqual(message);
        expect(message.body).not.toMatch(/canary/i);
        readBody(message);
      }
    });

    test.each(HOSTILE_NAMES)('a name that is %s is delivered', async (_name, agentName) => {
      const { sink, attempt } = rig();
      const { body } = subject.create(sink.url).render(firingView({ agentName }));
      expect(body.isWellFormed()).toBe(true);
      expect(await attempt({ body })).toMatchObject({ kind: 'accepted' });
    });

    test('any name, and any amount, renders to a body of bounded size', () => {
      const channel = subject.create('http://127.0.0.1:1');
      const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER });
      const view = fc.record({
        agentName: fc.string({ unit: 'binary' }),
        spent: amount,
        limit: amount,
      });
      fc.assert(
        fc.property(view, (facts) => {
          const message = channel.render(firingView(facts));
          readBody(message);
          expect(message.body.length).toBeLessThan(9_000);
        }),
        { numRuns: 50 },
      );
    });
  });
}

/** Throws where a body is not what its content type says. */
function readBody({ body, contentType }: RenderedMessage): void {
  if (contentType === 'application/json') JSON.parse(body);
  else expect(contentType).toMatch(/^text\/plain/);
}
