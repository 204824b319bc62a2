/** What is taken away of push: the order of its changes, its acknowledgements, its end. */
import { edit, type Mutant } from './mutant.js';

const WORLDS = 'test/simulation/push-worlds.test.ts';
const GATEWAY = 'test/contract/gateway-push.test.ts';
const LEDGER = 'test/contract/ledger-pglite.test.ts';

export const PUSH_MUTANTS: readonly Mutant[] = [
  {
    name: 'a change once to each device (PC-1)',
    edits: [edit('gateway/push/connection.ts', 'if (change.rev <= upTo) return;', '')],
    test: WORLDS,
  },
  {
    name: 'what comes while the missed is sent waits (PC-1)',
    edits: [edit('gateway/push/connection.ts', 'const held = waiting ?? [];', 'const held = [];')],
    test: WORLDS,
  },
  {
    name: 'the feed begins where the one who knows least begins (PF-1)',
    edits: [edit('gateway/push/feed.ts', ' && upTo >= beganAt', '')],
    test: WORLDS,
  },
  {
    name: 'a client that stops reading is dropped (PC-2)',
    edits: [
      edit(
        'gateway/push/connection.ts',
        "if (socket.bufferedAmount + frame.length > policy.bufferBytes) drop('buffer');\n    else ",
        '',
      ),
    ],
    test: GATEWAY,
    only: 'stops reading',
  },
  {
    name: 'sockets of a lost gateway do not count (PU-2)',
    edits: [
      edit('ledger/push-messages.ts', ' and g.beat_at > ${CLOCK} - ${String(PUSH.staleMs)}', ''),
    ],
    test: LEDGER,
    only: 'somebody is connected, or nobody is',
  },
  {
    name: 'a ticket is used up (PU-4)',
    edits: [
      edit(
        'ledger/push-sessions.ts',
        'delete from push_ticket where hash = $1 and expires_at > $2::bigint returning org, recipient',
        'select org, recipient from push_ticket where hash = $1 and expires_at > $2::bigint',
      ),
    ],
    test: LEDGER,
    only: 'one lets one socket in',
  },
  {
    name: 'only the person acknowledges (PU-3)',
    edits: [
      edit('ledger/push-messages.ts', ' and m.recipient = $3', ' and $3 <> m.org'),
      edit('ledger/push-messages.ts', ' and recipient = $3 and', ' and $3 <> org and'),
    ],
    test: LEDGER,
    only: 'counts once, only from the person',
  },
  {
    name: 'a device may be quicker than the word that it was offered (A5)',
    edits: [
      edit(
        'domain/alert/deliveries.ts',
        "delivery?.status === 'sending' && delivery.route.channel === 'push'",
        'false',
      ),
    ],
    test: 'test/domain/alert-push.test.ts',
  },
];
