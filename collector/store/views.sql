-- Views for people: plain sqlite3, Datasette, notebooks. Times are UTC text, costs are dollars.
-- "abandoned" is judged by heartbeat and age alone here; tracetui also looks at the process table.

create view v_spans as
select s.trace_id, s.span_id, s.parent_id as parent_span_id, s.name, s.kind,
  case when s.status <> 'running' then s.status
       when p.process_id is not null and (p.ended_ns is not null
         or p.heartbeat_ns < (julianday('now') - 2440587.5) * 86400e9 - 60e9) then 'abandoned'
       when p.process_id is null and s.seen_ns < (julianday('now') - 2440587.5) * 86400e9 - 3600e9 then 'abandoned'
       else 'running' end as status,
  s.status_message, s.error_type,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.start_ns / 1e9, 'unixepoch') as start,
  s.duration_ns / 1e6 as duration_ms, s.ttft_ns / 1e6 as ttft_ms,
  s.service, s.operation, s.provider, s.model, s.request_model,
  s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.reasoning_tokens,
  s.cost_nanousd / 1e9 as cost_usd, s.cost_source, s.counted,
  s.session_id, s.user_id, s.environment, s.release, s.project, s.level,
  s.tool_name, s.agent_name, s.prompt_name, s.prompt_version, s.tags, s.metadata,
  b.in_preview as input, b.out_preview as output
from spans s join bodies b on b.id = s.id left join processes p on p.process_id = s.process_id
where s.start_ns is not null;

create view v_traces as
select t.trace_id, t.name,
  case when t.root_status = 'error' then 'error' when t.running_count = 0 then 'ok'
       when exists (select 1 from spans s left join processes p on p.process_id = s.process_id
         where s.trace_id = t.trace_id and s.status = 'running' and s.start_ns is not null
           and not (p.process_id is not null and (p.ended_ns is not null
             or p.heartbeat_ns < (julianday('now') - 2440587.5) * 86400e9 - 60e9))
           and not (p.process_id is null
             and s.seen_ns < (julianday('now') - 2440587.5) * 86400e9 - 3600e9)) then 'running'
       else 'abandoned' end as status,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.start_ns / 1e9, 'unixepoch') as start,
  case when t.running_count = 0 then (t.end_ns - t.start_ns) / 1e6 end as duration_ms,
  t.service, t.session_id, t.user_id, t.environment, t.release, t.project, t.tags, t.metadata, t.models,
  t.span_count, t.error_count, t.llm_calls, t.tool_calls, t.unpriced_calls, t.cost_nanousd / 1e9 as cost_usd,
  t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_tokens, t.reasoning_tokens,
  t.in_preview as input, t.out_preview as output
from traces t;

create view v_llm_calls as
select * from v_spans where kind in ('llm', 'embedding', 'reranker') and counted = 1;

create view v_sessions as
select session_id, user_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', first_ns / 1e9, 'unixepoch') as first_trace,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_ns / 1e9, 'unixepoch') as last_trace,
  trace_count, span_count, error_count, llm_calls, tool_calls, unpriced_calls, cost_nanousd / 1e9 as cost_usd,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens
from sessions;

-- One row a message of a span: side is system, input or output, position counts from 1.
-- text joins the message's texts; parts has the rest (tool calls and so on).
create view v_messages as
with recursive sides(id, side, node) as (
  select id, 'system', system_node from bodies where system_node is not null
  union all select id, 'input', in_node from bodies where in_node is not null
  union all select id, 'output', out_node from bodies where out_node is not null
), path(id, side, hash) as (
  select id, side, node from sides
  union all
  select p.id, p.side, n.parent from path p join nodes n on n.hash = p.hash where n.parent <> ''
)
select s.trace_id, s.span_id, p.side, n.depth as position, m.role, m.name,
  (select group_concat(t.text, char(10)) from json_each(m.parts) j
     join texts t on t.hash = json_extract(j.value, '$.text."$t"')) as text,
  m.parts
from path p join spans s on s.id = p.id join nodes n on n.hash = p.hash join messages m on m.hash = n.message;
