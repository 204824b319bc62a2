-- What a key may do and for whom, since when and until when; and what writes with an
-- Idempotency-Key were answered.

alter table api_key
  -- Names the key where it is spoken of: the beginning of its hash.
  add column id text collate "C" generated always as (left(hash, 16)) stored,
  -- The key's first characters, so that its holder knows it again; null for older keys.
  add column hint text,
  -- Space separated. Keys from before may do everything, as they always might.
  add column scopes text not null default 'ingest sync read operate admin',
  -- Null: the whole organisation.
  add column agent text collate "C",
  add column created_at bigint not null default 0,
  add column created_by text,
  -- From then on it is refused: it was rotated, and this is the end of its grace.
  add column expires_at bigint,
  -- The key that took its place.
  add column replaced_by text collate "C";
alter table api_key alter column scopes drop default;
create unique index api_key_org on api_key (org, id);

-- A write is answered once per (key, Idempotency-Key): `answer` is null while it is under way.
create table idempotent_answer (
  org text collate "C" not null,
  key_id text collate "C" not null,
  idempotency_key text collate "C" not null,
  -- SHA-256 of method, path and body.
  request text not null,
  -- Under way: until when nobody else may carry it out. Answered: until when it is kept.
  until bigint not null,
  -- Who carries it out, so that an overtaken one stores nothing.
  holder text not null,
  status bigint,
  answer text,
  primary key (org, key_id, idempotency_key)
);
create index idempotent_answer_until on idempotent_answer (until);
