/** From the ledger to the workflows. */
export { createRelay, DEFAULT_RELAY_CONFIG } from './relay.js';
export type { Relay, RelayConfig, RelayOptions, RelayStats } from './relay.js';
export type { RelayClient, RelayLedger } from './deliver.js';
