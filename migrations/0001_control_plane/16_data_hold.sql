-- Runs that wait for their data: jobs that know what they stand on say so before a run starts, and no attempt is spent on waiting.

create function dba.data_hold(of_job text, of_run uuid)
returns text
language plpgsql
stable
as $$
declare
  words text;
begin
  execute format('select dba.%I($1)', 'hold_of_' || of_job) into words using of_run;
  return words;
end
$$;
comment on function dba.data_hold(text, uuid) is 'What data a run has to wait for, in words, as dba.hold_of_<job> says; null: it may start. For jobs with holds_for_data.';
