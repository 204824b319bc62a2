import { describe, expect, test } from 'vitest';
import { createDecisionSlots } from '../../worker/decision-slots.js';

const common = {
  slotType: 'workflow',
  taskQueue: 'kavach',
  workerIdentity: 'w',
  workerBuildId: '',
  isSticky: false,
} as const;
const sticky = { ...common, isSticky: true } as const;

/** Whether a promise has settled once everything that could settle it has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('the slots of decisions', () => {
  test('replays that take all of theirs leave those in memory alone', async () => {
    const slots = createDecisionSlots({ common: 2, sticky: 3 });
    const never = new AbortController().signal;
    await slots.reserveSlot(common, never);
    await slots.reserveSlot(common, never);
    expect(slots.tryReserveSlot(common)).toBeNull();
    expect(await isSettled(slots.reserveSlot(common, never))).toBe(false);
    for (let i = 0; i < 3; i += 1) expect(slots.tryReserveSlot(sticky)).not.toBeNull();
    expect(slots.tryReserveSlot(sticky)).toBeNull();
  });

  test('one that comes back goes to who has waited longest, in its own pool', async () => {
    const slots = createDecisionSlots({ common: 1, sticky: 1 });
    const never = new AbortController().signal;
    const held = await slots.reserveSlot(common, never);
    const heldSticky = await slots.reserveSlot(sticky, never);
    const first = slots.reserveSlot(common, never);
    const second = slots.reserveSlot(common, never);
    slots.releaseSlot({ permit: heldSticky });
    expect(await isSettled(first)).toBe(false);
    slots.releaseSlot({ permit: held });
    expect(await isSettled(first)).toBe(true);
    expect(await isSettled(second)).toBe(false);
    slots.releaseSlot({ permit: await first });
    expect(await isSettled(second)).toBe(true);
  });

  test('who no longer waits takes none: the next one is free again', async () => {
    const slots = createDecisionSlots({ common: 1, sticky: 1 });
    const held = await slots.reserveSlot(common, new AbortController().signal);
    const leaving = new AbortController();
    const left = slots.reserveSlot(common, leaving.signal);
    const reason = new Error('no longer needed');
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    slots.releaseSlot({ permit: held });
    expect(slots.tryReserveSlot(common)).not.toBeNull();
    expect(slots.tryReserveSlot(common)).toBeNull();
  });
});
