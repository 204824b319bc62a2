-- Push: what is offered to people who are connected, and where they are.

-- The order in which push messages change. Whoever changes one takes the next number and holds the
-- row until it commits, so that the numbers are visible in their order: a reader misses none.
create table push_rev (
  id bigint not null primary key,
  rev bigint not null
);

create table push_message (
  org text collate "C" not null,
  -- What clients know it by; the same on every attempt of its delivery.
  id text collate "C" not null,
  alert_id text collate "C" not null,
  delivery_id text collate "C" not null,
  recipient text collate "C" not null,
  body text not null,
  offered_at bigint not null,
  acknowledged_at bigint,
  -- When its alert has to be told of the acknowledgement; null once it was.
  confirm_due_at bigint,
  rev bigint not null,
  primary key (org, id)
);
create index push_message_rev on push_message (rev);
create index push_message_recipient on push_message (org, recipient, offered_at);
create index push_message_offered on push_message (offered_at);
create index push_message_confirm on push_message (confirm_due_at) where confirm_due_at is not null;

-- One for each gateway with sockets; `beat_at` is by the database's clock, as all compare with it.
create table push_gateway (
  id text collate "C" not null primary key,
  beat_at bigint not null
);

-- One for each socket.
create table push_session (
  id text collate "C" not null primary key,
  org text collate "C" not null,
  recipient text collate "C" not null,
  gateway text collate "C" not null,
  opened_at bigint not null
);
create index push_session_recipient on push_session (org, recipient, gateway);
create index push_session_gateway on push_session (gateway);

-- Lets one socket in, once; the ticket itself is nowhere.
create table push_ticket (
  hash text collate "C" not null primary key,
  org text collate "C" not null,
  recipient text collate "C" not null,
  expires_at bigint not null
);
create index push_ticket_expires on push_ticket (expires_at);
