#!/usr/bin/env node
/** `kavach`, the program. Everything it does is in program.ts. */
import { runCli } from './program.js';

const { env, stdout, stderr } = process;
const exitCode = await runCli(process.argv.slice(2), { env, stdout, stderr });
// What still holds the loop (Temporal's native runtime, idle sockets) has nothing left to do, but
// a pipe may not have taken all of our output yet.
stdout.write('', () => process.exit(exitCode));
