-- What names a model call where no answer's id does (from schema 8 on), the same whoever reports it: see `counted`.

alter table spans add column call_key text;
create index spans_call on spans(call_key) where call_key is not null;
