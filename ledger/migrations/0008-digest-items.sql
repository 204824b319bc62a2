-- P3. What waits for a recipient's digest, or was in one: an alert is in exactly one of each recipient.
create table digest_item (
  org text collate "C" not null,
  recipient text collate "C" not null,
  alert_id text collate "C" not null,
  -- `hourly` or `daily`, as it was preferred when the alert was routed.
  cadence text not null,
  at bigint not null,
  -- The digest that has it; null while it waits.
  digest text collate "C",
  primary key (org, recipient, alert_id)
);
create index digest_item_waiting on digest_item (org, recipient, cadence, at) where digest is null;
create index digest_item_digest on digest_item (digest) where digest is not null;
