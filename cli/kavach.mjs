#!/usr/bin/env node
/** The `kavach` of a checkout: installs missing packages once, then runs the sources as they are. */
await import('../scripts/install.mjs');
const { register } = await import('tsx/esm/api');
register();
await import('./main.ts');
