-- What a span says of its trace as a whole (from schema 6 on); the row in traces has it from there.
-- trace_in, trace_out: one line each, like in_preview.

alter table spans add column trace_name text;
alter table bodies add column trace_in text;
alter table bodies add column trace_out text;
