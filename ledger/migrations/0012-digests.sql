-- What agents asked to have told. The alert that tells it names it by its own id.
create table sent_notice (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  recipient text collate "C" not null,
  agent text collate "C" not null,
  -- The sender's own.
  notification_id text not null,
  -- Its words go before it does: null once they were kept long enough.
  title text,
  body text,
  metadata jsonb,
  created_at bigint not null,
  at bigint not null,
  -- A2. Copies that came within its window, and when the last of them did.
  repeats bigint not null default 0,
  repeated_at bigint,
  primary key (org, alert_id)
);
create index sent_notice_recipient on sent_notice (org, recipient);

-- A2. The notice that stands for a key of a recipient, until its window is over.
create table notice_window (
  org text collate "C" not null,
  recipient text collate "C" not null,
  key text collate "C" not null,
  alert_id text collate "C" not null,
  until bigint not null,
  primary key (org, recipient, key)
);
create index notice_window_over on notice_window (until);

-- P3. Which recipients have something waiting. `due_at`: when the relay wakes the digest's workflow;
-- null while nothing waits. Whoever adds an item, claims items, or ends the workflow holds this row.
create table digest_schedule (
  org text collate "C" not null,
  recipient text collate "C" not null,
  cadence text collate "C" not null,
  due_at bigint,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  reason text,
  -- The number of the last digest.
  last_no bigint not null default 0,
  primary key (org, recipient, cadence)
);
create index digest_schedule_due on digest_schedule (due_at) where due_at is not null;

-- One digest: its items are those that name it.
create table digest (
  org text collate "C" not null,
  id text collate "C" not null,
  recipient text collate "C" not null,
  cadence text collate "C" not null,
  at bigint not null,
  total bigint not null,
  -- Null while it is being sent; then `sent`, `failed` or `suppressed`, and why.
  ended_at bigint,
  result text,
  reason text,
  primary key (org, id)
);
create unique index digest_open on digest (org, recipient, cadence) where ended_at is null;
create index digest_recipient on digest (org, recipient, at);
create index digest_over on digest (ended_at) where ended_at is not null;
