/** P3 on a real server: one mail for whatever waits, a bounded history, and nothing lost at the end. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKavachClient, type KavachClient } from '../../client/client.js';
import type { DigestRef } from '../../domain/digest/state.js';
import { digestWorkflowId } from '../../domain/ids.js';
import { QUICK, startHarness, type Harness } from './harness.js';

let harness: Harness;
let kavach: KavachClient;
const ignore = (): void => undefined;

beforeAll(async () => {
  harness = await startHarness('digest');
  const { client, taskQueue } = harness;
  const log = { info: ignore, warn: ignore, error: ignore };
  kavach = createKavachClient({ client, taskQueue, policy: QUICK, log });
});
afterAll(async () => {
  await harness.stop();
});
beforeEach(() => {
  harness.digests = { waiting: 0, dueAt: () => Date.now() + 50, claimed: 0 };
  harness.recorded.digests.length = 0;
});

const freshRef = (): DigestRef => ({
  ...{ org: 'default', recipient: `ana-${randomUUID()}`, cadence: 'hourly' },
});
const handleOf = ({ org, recipient, cadence }: DigestRef) =>
  harness.client.workflow.getHandle(digestWorkflowId(org, recipient, cadence));

describe('the digest of a recipient', () => {
  test('is one mail for 100,000 items, in a short history, and ends when nothing waits', async () => {
    const ref = freshRef();
    harness.digests.waiting = 100_000;
    await kavach.wakeDigest(ref);
    await handleOf(ref).result();
    expect(harness.recorded.digests).toMatchObject([
      { ref, digest: { total: 100_000 }, attempt: 1, isLast: false },
    ]);
    const { events = [] } = await handleOf(ref).fetchHistory();
    expect(events!.length).toBeLessThan(60);
    const described = await handleOf(ref).describe();
    expect(await described.staticSummary()).toBe(`The hourly digest of ${ref.recipient}`);
  });

  test('that is woken while it waits plans anew, and is still one', async () => {
    const ref = freshRef();
    const far = Date.now() + 3_600_000;
    harness.digests = { waiting: 2, dueAt: () => far, claimed: 0 };
    await kavach.wakeDigest(ref);
    await harness.until(async () => (await handleOf(ref).describe()).status.name === 'RUNNING');
    harness.digests = { waiting: 3, dueAt: () => Date.now() + 30, claimed: 0 };
    await kavach.wakeDigest(ref);
    await handleOf(ref).result();
    expect(harness.recorded.digests).toMatchObject([{ digest: { total: 3 } }]);
  });

  test('survives a restart of its worker, and sends once', async () => {
    const ref = freshRef();
    harness.digests = { waiting: 2, dueAt: () => Date.now() + 1_000, claimed: 0 };
    await kavach.wakeDigest(ref);
    await harness.restartWorker();
    await handleOf(ref).result();
    expect(harness.recorded.digests).toHaveLength(1);
  });

  test('begins again with the next item after it has ended', async () => {
    const ref = freshRef();
    for (const round of [1, 2, 3]) {
      harness.digests.waiting = round;
      await kavach.wakeDigest(ref);
      await handleOf(ref).result();
    }
    expect(harness.recorded.digests.map(({ digest }) => digest.total)).toEqual([1, 2, 3]);
  });

  test('its history stays bounded however many digests it sends: it begins a new life', async () => {
    const ref = freshRef();
    const { client, taskQueue } = harness;
    const policy = { ...QUICK, rotateAfterEvents: 40 };
    let left = 6;
    harness.digests = {
      get waiting() {
        return left > 0 ? 1 : 0;
      },
      set waiting(_none: number) {
        left -= 1;
      },
      dueAt: () => Date.now() + 5,
      claimed: 0,
    };
    const workflowId = digestWorkflowId(ref.org, ref.recipient, ref.cadence);
    const args = [{ kind: 'woken', ref, policy }];
    const started = await client.workflow.start('digest', { workflowId, taskQueue, args });
    await handleOf(ref).result();
    expect(harness.recorded.digests).toHaveLength(6);
    const first = client.workflow.getHandle(workflowId, started.firstExecutionRunId);
    const { events } = await first.fetchHistory();
    expect(events!.length).toBeLessThan(90);
    expect((await handleOf(ref).describe()).runId).not.toBe(started.firstExecutionRunId);
  });
});
