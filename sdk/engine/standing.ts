/**
 * What keeps an agent from going on (K1, K2), as this guard has last heard it.
 * ST-1. The same kill or Stop is told once, whoever brings it: channel, sync, usage or a lease.
 * ST-2. A Stop that usage was refused with holds at once; being perhaps behind the gateway's word,
 *       it holds until the standing was asked for again.
 * ST-3. While the channel is open its word is whole, and that of a sync only adds to it: the
 *       channel knows the run, too, and is never behind.
 */
import type { Refusal } from '../admission.js';
import type { StandingWord } from './standing-word.js';

export interface Standing {
  /** What holds every call; undefined: none of these. */
  held(): Refusal | undefined;
  /** The gateway has looked. Answers whether something changed; `isWhole`: ST-3. */
  set(word: StandingWord, isWhole: boolean): boolean;
  /** ST-2. */
  suspect(refusal: Refusal): void;
  /** A lease was refused for a kill or Stop: its machine holds the calls. */
  leaseRefused(refusal: Refusal): void;
  /** A lease was granted, so that what it was refused for is over. */
  leaseGranted(): void;
  /** Told at once, if something stands already. */
  onRefusal(tell: (refusal: Refusal) => void): void;
  onLifted(tell: () => void): void;
}

interface Told {
  readonly refusal: Refusal;
  /** The same one has the same key; undefined: it is not known by name. */
  readonly key?: string;
  /** Only its machine knows when it is over. */
  readonly byLease: boolean;
}

export function createStanding(agent: string, say: (error: unknown) => void): Standing {
  let held: { readonly refusal: Refusal; readonly isSuspected: boolean } | undefined;
  let told: Told | undefined;
  const refusals = new Set<(refusal: Refusal) => void>();
  const lifts = new Set<() => void>();

  /** What a host does when it is told must not end what we do. */
  const guarded = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      say(error);
    }
  };
  const tellOnce = (next: Told): void => {
    const isSame =
      told?.refusal.why === next.refusal.why &&
      (told.key === undefined || next.key === undefined || told.key === next.key);
    const key = next.key ?? told?.key;
    if (isSame) {
      told = { ...next, ...(key === undefined ? {} : { key }) };
      return;
    }
    told = next;
    for (const tell of refusals)
      guarded(() => {
        tell(next.refusal);
      });
  };
  const lift = (): void => {
    if (told === undefined) return;
    told = undefined;
    for (const tell of lifts) guarded(tell);
  };

  return {
    held: () => held?.refusal,
    set: (word, isWhole) => {
      const now = heldBy(agent, word);
      if (now !== undefined) {
        held = { refusal: now.refusal, isSuspected: false };
        tellOnce({ ...now, byLease: false });
        return true;
      }
      if (held === undefined ? !isWhole : !held.isSuspected && !isWhole) return false;
      held = undefined;
      if (told?.byLease === false) lift();
      return true;
    },
    suspect: (refusal) => {
      held ??= { refusal, isSuspected: true };
      tellOnce({ refusal, byLease: false });
    },
    leaseRefused: (refusal) => {
      tellOnce({ refusal, byLease: held === undefined });
    },
    leaseGranted: () => {
      if (told?.byLease === true) lift();
    },
    onRefusal: (tell) => {
      refusals.add(tell);
      const standing = told;
      if (standing !== undefined)
        guarded(() => {
          tell(standing.refusal);
        });
    },
    onLifted: (tell) => {
      lifts.add(tell);
    },
  };
}

/** A person's Stop goes before a budget's kill. */
function heldBy(
  agent: string,
  { stopped, killed }: StandingWord,
): { readonly key: string; readonly refusal: Refusal } | undefined {
  if (stopped !== undefined) {
    const detail = `${agent} was stopped by ${stopped.by}: ${stopped.why}. A person has to resume it.`;
    return {
      key: `stopped ${stopped.at}`,
      refusal: { why: 'stopped', reason: 'tier_agent_limit', detail },
    };
  }
  if (killed === undefined) return undefined;
  const { periodId, cadence, dimension, at, resetsAt } = killed;
  const until = resetsAt === undefined ? '' : ` until ${resetsAt}`;
  const detail = `${agent} may not go on${until}: a ${cadence} budget that it counts in was killed.`;
  const reason = dimension === 'tokens_total' ? 'tokens' : (dimension ?? 'org_budget_exceeded');
  return { key: `killed ${periodId} ${at}`, refusal: { why: 'killed', reason, detail } };
}
