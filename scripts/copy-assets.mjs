/** What the compiler leaves behind and the compiled service reads. */
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
cpSync(at('../ledger/migrations'), at('../dist/ledger/migrations'), { recursive: true });
cpSync(at('../worker/failure-converter.cjs'), at('../dist/worker/failure-converter.cjs'));
