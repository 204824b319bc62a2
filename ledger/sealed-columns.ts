/**
 * Every column that holds something sealed, with its key and what its values are bound to.
 * Whoever adds one adds it here: `kavach reseal` and `kavach doctor` go by this list.
 */
import { destinationPlace, REFERENCE_KEY_PLACE } from './destinations.js';

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** Its primary key, in order; none for a table of one row. */
  readonly key: readonly string[];
  /** From the values of the key. */
  readonly belongsTo: (key: readonly string[]) => string;
}

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'destination',
    column: 'sealed',
    key: ['org', 'reference'],
    belongsTo: ([org = '', reference = '']) => destinationPlace(org, reference),
  },
  {
    table: 'ledger_life',
    column: 'reference_key',
    key: [],
    belongsTo: () => REFERENCE_KEY_PLACE,
  },
];
