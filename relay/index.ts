/** From the ledger to the workflows. */
export { startErrands } from './errands.js';
export { createStartAlert } from './start-alert.js';
export { createRetention } from './retention.js';
export { createRelay, DEFAULT_RELAY_CONFIG } from './relay.js';
export type { Relay, RelayConfig, RelayOptions, RelayStats } from './relay.js';
export type { RelayClient, RelayLedger } from './deliver.js';
