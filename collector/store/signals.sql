-- What looked wrong in a trace when it had settled (from schema 4 on), each with its evidence. Counted by kind:
-- n numbers those of a kind within a trace. span_id is the span to look at, spans (JSON) what else belongs to it,
-- value the value in question. kind "skipped": the trace is too large to be looked at before it is opened.
-- "abandoned" is not here: it comes with time, see status in v_spans.
create table signals(
  kind text not null,
  trace_id text not null,
  n integer not null,
  span_id text not null,
  text text not null,
  spans text,
  value text,
  primary key (kind, trace_id, n)
) without rowid;
create index signals_trace on signals(trace_id, span_id);

-- Up to which change (traces.seq, and traces.id among those of one batch) finished traces were looked at, and those
-- that fell silent unfinished: JSON lists.
insert into meta values ('signals_settled', '[0,0]'), ('signals_quiet', '[0,0]');

create view v_signals as
select g.kind as signal, g.trace_id, g.span_id, t.name as trace, s.name as span, g.text as evidence, g.value,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.start_ns / 1e9, 'unixepoch') as start
from signals g left join traces t on t.trace_id = g.trace_id
left join spans s on s.trace_id = g.trace_id and s.span_id = g.span_id;
