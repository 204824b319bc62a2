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
