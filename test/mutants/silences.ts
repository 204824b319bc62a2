/** What is taken away of silences (A13): that they hold, what they hold, and that they end. */
import { edit, type Mutant } from './mutant.js';

const WAITING = 'test/domain/alert-waiting.test.ts';
const DECISIONS = 'test/domain/routing-decisions.test.ts';
const WORLDS = 'test/simulation/alert-worlds.test.ts';
const LEDGER = 'test/contract/ledger-pglite.test.ts';

export const SILENCE_MUTANTS: readonly Mutant[] = [
  {
    name: 'what a silence holds is not dropped (A13)',
    edits: [edit('domain/alert/held.ts', 'if (delivery.level !== undefined) {', 'if (true) {')],
    test: WAITING,
  },
  {
    name: 'what is held asks again at the end, and not for ever',
    edits: [
      edit(
        'domain/alert/held.ts',
        'Math.max(until, now + state.input.policy.retryMs)',
        'Number.MAX_SAFE_INTEGER',
      ),
    ],
    test: DECISIONS,
  },
  {
    name: 'the word that it has ended reaches an answer under way (H-3)',
    edits: [edit('domain/alert/held.ts', "status === 'sending' && purpose === 'fire'", 'false')],
    test: WORLDS,
  },
  {
    name: 'a silence holds only what fits all it names',
    edits: [
      edit('ledger/delivery-sql.ts', 'and (s.severity is null or s.severity = @severity)', ''),
    ],
    test: LEDGER,
    only: 'held exactly when all that the matcher names fits',
  },
  {
    name: 'a kill is never held (A13)',
    edits: [
      edit(
        'ledger/deliveries.ts',
        "fires && channel !== 'kill' && about !== undefined",
        'fires && about !== undefined',
      ),
    ],
    test: LEDGER,
    only: 'it holds what fires, and nothing else',
  },
];
