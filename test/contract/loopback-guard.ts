/** Lets channels under test reach fakes on this machine, and nothing else beside the internet. */
import { createGuard } from '../../channels/address-guard.js';
import { readAllowList } from '../../channels/allow-list.js';

export const LOOPBACK_GUARD = createGuard({
  allow: readAllowList('127.0.0.1:*, canary.invalid:*').rules,
});
