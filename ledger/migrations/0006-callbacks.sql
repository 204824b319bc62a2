-- What providers say later of what they took, kept until it is carried out and then against repeats.
create table callback (
  provider text collate "C" not null,
  -- The provider's own; signed with the rest, so nobody can give a repeat another one.
  event_id text collate "C" not null,
  word jsonb not null,
  received_at bigint not null,
  -- Null once it was carried out.
  due_at bigint,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  -- What came of it, or why not yet.
  result text,
  primary key (provider, event_id)
);
create index callback_due on callback (due_at) where due_at is not null;
create index callback_received on callback (received_at);

-- Where it went, and what the provider said of it later.
alter table attempt
  add column destination text collate "C",
  add column receipt jsonb;
create index attempt_provider on attempt ((outcome->>'providerId'))
  where outcome->>'providerId' is not null;

alter table destination
  -- Messages in a row that were taken and did not arrive, and when the first of them did not.
  add column bounces bigint not null default 0,
  add column bouncing_since bigint;

-- T9. From an incident to its alerts.
create index incident_key on incident (key);
create index alert_subject on alert (org, subject);
