/**
 * Who is killed, and when, drawn from the seed.
 * KI-1. Each kind of part is as likely as any other, however many there are of it.
 * KI-2. A kill that finds its part still starting goes to the next part that runs: the number of
 *       kills is what was asked for.
 * KI-3. Most kills wait until the part before serves again, so that they hit a service at work;
 *       the others come while it is away, so that faults meet, too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../cli/demo/random.js';
import type { Part } from '../cli/set/supervise.js';

export interface KillerOptions {
  readonly parts: readonly Part[];
  readonly kills: number;
  /** On average, from the moment all serve (KI-3) to the next one. */
  readonly everyMs: number;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onKill: (name: string, no: number) => void;
}

const LOOK_AGAIN_MS = 50;
/** KI-3. Of all kills. */
const MEETS = 0.2;

/** Resolves with how often each part was killed, when the last one serves again. */
export async function runKiller(options: KillerOptions): Promise<ReadonlyMap<string, number>> {
  const { parts, kills, everyMs, random, signal, onKill } = options;
  const allServing = () => Promise.all(parts.map((part) => part.serving()));
  const killed = new Map<string, number>(parts.map(({ name }) => [name, 0]));
  for (let no = 1; no <= kills; no += 1) {
    await delay(everyMs * (0.3 + 1.4 * random()), undefined, { signal });
    const order = drawOrder(parts, random);
    let victim = order.find((part) => part.pid() !== undefined);
    while (victim === undefined) {
      await delay(LOOK_AGAIN_MS, undefined, { signal });
      victim = order.find((part) => part.pid() !== undefined);
    }
    onKill(victim.name, no);
    await victim.kill();
    killed.set(victim.name, (killed.get(victim.name) ?? 0) + 1);
    if (no === kills || random() >= MEETS) await allServing();
  }
  return killed;
}

/** KI-1. The drawn part first, then the others in a drawn order. */
function drawOrder(parts: readonly Part[], random: Random): Part[] {
  const kinds = shuffled([...new Set(parts.map(kindOf))], random);
  return kinds.flatMap((kind) =>
    shuffled(
      parts.filter((part) => kindOf(part) === kind),
      random,
    ),
  );
}

/** `gateway 2` -> `gateway`. */
export function kindOf({ name }: Pick<Part, 'name'>): string {
  return name.replace(/ \d+$/, '');
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
