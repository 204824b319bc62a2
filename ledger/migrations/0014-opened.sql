-- A14. A delivery counts towards its destination's minute when it is opened, and once: its row is
-- there from then on, and gets its message with the first attempt.
alter table delivery
  alter column body drop not null,
  alter column content_type drop not null;
