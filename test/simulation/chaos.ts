/**
 * The trouble in a world, from its dice, until it is healed. Nothing here decides; it only says
 * how late something is and whether it goes wrong this time.
 */
import type { Suppression } from '../../domain/alert/outcome.js';
import type { Dice } from './dice.js';

export interface Chaos {
  /** Nothing fails and nothing is late any more. */
  healed: boolean;
  ledgerAway: boolean;
  temporalAway: boolean;
  /** Why the ledger holds a delivery back now and then; absent: it does not. */
  holds?: readonly Suppression[];
  /** A13. Until when a silence holds what is asked for now, as the ledger has it. */
  silencedUntil?: () => number | undefined;
  /** Push: ms from the offer to its confirmation, or undefined: nobody confirms. Absent: no offers. */
  confirmsIn?: () => number | undefined;
  /** Destinations that take whatever gets there. */
  accepts?: (destination: string) => boolean;
  /** Whether it goes wrong this time. */
  trouble(probability: number): boolean;
  /** How long a message or a statement takes, ms. */
  delay(): number;
  /** How late a timer fires, ms. */
  readonly lateness: () => number;
  readonly rotates: () => boolean;
}

export function createChaos(dice: Dice): Chaos {
  const chaos: Chaos = {
    healed: false,
    ledgerAway: false,
    temporalAway: false,
    trouble: (probability) => !chaos.healed && dice.chance(probability),
    delay: () => (chaos.healed ? 5 : dice.between(1, dice.chance(0.1) ? 3_000 : 200)),
    lateness: () => (chaos.trouble(0.05) ? dice.between(1, 20_000) : 0),
    rotates: () => dice.chance(0.1),
  };
  return chaos;
}

/** What crosses a wire shares nothing with what was sent. */
export const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
