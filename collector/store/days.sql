-- The rollups of 96 quarter hours each (from schema 5 on): a day of UTC, since 1970. Sums over months are made of these.
create table days(
  id integer primary key,
  day integer not null,
  model text not null,
  provider text not null,
  service text not null,
  environment text not null,
  kind text not null,
  dims text not null,
  spans integer not null,
  errors integer not null,
  calls integer not null,
  unpriced_calls integer not null,
  cost_nanousd integer not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cache_read_tokens integer not null,
  cache_write_tokens integer not null,
  reasoning_tokens integer not null,
  audio_input_tokens integer not null,
  audio_output_tokens integer not null,
  duration_ns integer not null
);
create unique index days_key on days(day, model, provider, service, environment, kind, dims);

-- id: of days. Buckets as in histograms.
create table day_histograms(
  id integer not null,
  metric text not null,
  bucket integer not null,
  n integer not null,
  primary key (id, metric, bucket)
) without rowid;
