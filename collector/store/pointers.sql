-- Which span names another one (from schema 9 on): kind 'replay' repeats it, 'link' is an OTLP link to it. from_id is
-- spans.id; to_trace is '' where only a span was named. Of files that were large then, older spans are not here:
-- up to which spans.id says meta 'pointers_from'.
create table pointers(
  to_span text not null,
  kind text not null,
  from_id integer not null,
  to_trace text not null,
  primary key (to_span, kind, from_id, to_trace)
) without rowid;
