-- P1, P2. Whom alerts may be told to, and how they want it.
create table recipient (
  org text collate "C" not null,
  id text collate "C" not null,
  name text,
  -- As domain/preferences.ts has them, whole.
  preferences jsonb not null,
  created_at bigint not null,
  changed_at bigint not null,
  primary key (org, id)
);

-- One for each channel of a recipient; the address itself is a sealed destination (L-5).
create table contact (
  org text collate "C" not null,
  recipient text collate "C" not null,
  channel text collate "C" not null,
  reference text collate "C" not null,
  added_at bigint not null,
  verified_at bigint,
  -- Of the code that was sent last; the code itself is nowhere.
  code_hash text,
  code_until bigint,
  code_tries bigint not null default 0,
  -- How many were sent since `code_day`, the beginning of a UTC day.
  codes_sent bigint not null default 0,
  code_day bigint not null default 0,
  primary key (org, recipient, channel)
);
create index contact_reference on contact (org, reference);

-- A1. The routes an alert was given when it first started: they stand.
create table routed_alert (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  at bigint not null,
  routes jsonb not null,
  primary key (org, alert_id)
);

-- RO-1. What was decided for each (alert, recipient, channel), and why.
create table routing (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  -- Empty: the organisation's own.
  recipient text collate "C" not null,
  channel text collate "C" not null,
  destination text collate "C",
  -- The place among the alert's own, from 0.
  no bigint not null,
  what text not null,
  reason text not null,
  until bigint,
  -- What decided it; null for the organisation and for whoever was unknown.
  preferences jsonb,
  primary key (org, alert_id, no)
);
create unique index routing_once on routing (org, alert_id, recipient, channel)
  where recipient <> '';
create index routing_recipient on routing (org, recipient) where recipient <> '';
