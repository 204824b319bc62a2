-- CO-2. How many codes were sent today, for each address and for each contact of a recipient, by
-- hashes that only the ledger's key can make. Removing a contact takes nothing away from here.
create table code_count (
  org text collate "C" not null,
  hash text collate "C" not null,
  -- The beginning of a UTC day.
  day bigint not null,
  sent bigint not null,
  primary key (org, hash)
);
create index code_count_day on code_count (day);

-- Counted here from now on.
alter table contact drop column codes_sent, drop column code_day;
