-- The freshness gate: what a report stands on, and what of it is late, failed or held back.

create function dba.fresh_since(config dba.reportconfig, fire timestamptz)
returns timestamptz
language sql
stable
as $$
  select coalesce(fire - config.fresh_within, date_trunc('day', fire at time zone config.time_zone) at time zone config.time_zone)
$$;
comment on function dba.fresh_since(dba.reportconfig, timestamptz) is 'Data of a report must have come after this moment: fresh_within before the fire, or midnight.';

create function dba.newest_datasets(config dba.reportconfig)
returns table (name text, dataset_id bigint, state text, label text, came_at timestamptz, data_at timestamptz)
language sql
stable
as $$
  select n.name, d.dataset_id, d.state, d.label, d.created_at,
    (select max(a.valid_from) from dba.dataset a
      where (a.datasource = n.name or a.target_table = n.name) and a.state = 'active')
  from unnest(config.fresh_datasets) n (name)
  left join lateral (
    select d.* from dba.dataset d
    where (d.datasource = n.name or d.target_table = n.name) and d.state <> 'deleted' and d.state <> 'superseded'
    order by d.created_at desc, d.dataset_id desc
    limit 1) d on true
$$;
comment on function dba.newest_datasets(dba.reportconfig) is 'The newest dataset of each name in fresh_datasets, and since when the data in force is there: select * from dba.reportconfig c, dba.newest_datasets(c) where c.config_name = ….';

create function dba.stale_parts(config dba.reportconfig, fire timestamptz)
returns table (name text, words text)
language sql
stable
as $$
  with since as (
    select dba.fresh_since(config, fire) as at
  ), found (position, name, words) as (
    select 1, d.name, case
      when d.state = 'quarantined' then format('data "%s" is quarantined (dataset %s)', d.name, d.dataset_id)
      when d.state = 'failed' then format('the last load of data "%s" failed (dataset %s)', d.name, d.dataset_id)
      when d.state = 'new' then format('data "%s" is being loaded', d.name)
      when d.came_at is null then format('there is no data "%s"', d.name)
      when d.came_at < since.at then format('no data "%s" since %s (the last is of %s)', d.name, dba.local_time_text(since.at, config.time_zone), dba.local_time_text(date_trunc('second', d.came_at), config.time_zone))
    end
    from since, dba.newest_datasets(config) d
    union all
    select 2, n.name, case
      when r.state in ('waiting', 'queued', 'running') then format('schedule "%s" is %s', n.name, r.state)
      when r.state is null or r.finished_at < since.at then format('schedule "%s" has not run since %s', n.name, dba.local_time_text(since.at, config.time_zone))
      when r.state <> 'succeeded' then format('schedule "%s" %s', n.name, case r.state when 'failed' then 'failed: ' || r.error_message else 'was ' || r.state end)
    end
    from since, unnest(config.fresh_schedules) n (name)
    left join lateral (
      select r.state, r.finished_at, r.error_message from dba.run r
      where r.schedule_name = n.name and r.state <> 'planned'
        and not (r.state in ('skipped', 'missed') and (r.reason like 'overlap:%' or r.due_at > statement_timestamp()))
      order by coalesce(r.finished_at, 'infinity') desc
      limit 1) r on true
  )
  select f.name, f.words from found f where f.words is not null order by f.position, f.words
$$;
comment on function dba.stale_parts(dba.reportconfig, timestamptz) is 'What a report stands on and is not fresh at a fire: its name, which readers may see, and why, for whoever answers for it.';

create function dba.stale_data(config dba.reportconfig, fire timestamptz)
returns text[]
language sql
stable
as $$
  select array(select s.words from dba.stale_parts(config, fire) s)
$$;
comment on function dba.stale_data(dba.reportconfig, timestamptz) is 'What a report stands on and is not fresh at a fire, in words; none: {}. select dba.stale_data(c, now()) from dba.reportconfig c where c.config_name = ….';

create function dba.hold_deadline(config dba.reportconfig, fire timestamptz)
returns timestamptz
language sql
stable
as $$
  select case when config.hold_until is not null then
    ((fire at time zone config.time_zone)::date
      + case when config.hold_until < (fire at time zone config.time_zone)::time then 1 else 0 end
      + config.hold_until) at time zone config.time_zone end
$$;
comment on function dba.hold_deadline(dba.reportconfig, timestamptz) is 'Until when a report waits for its data; null: it does not wait.';

create function dba.hold_of_report(of_run uuid)
returns text
language plpgsql
stable
as $$
declare
  run dba.run;
  config dba.reportconfig;
  deadline timestamptz;
  stale text[];
begin
  select * into run from dba.run r where r.run_id = of_run;
  -- Until it is queued a run goes by the terms of its schedule.
  select c.* into config from dba.scheduler s join dba.reportconfig c on c.config_name = s.config_name where s.schedule_id = run.schedule_id;
  -- Who looks at a preview wants to see it now.
  if config.config_name is null or run.args ? 'preview' or run.args ? 'test_to' then
    return null;
  end if;
  deadline := dba.hold_deadline(config, run.due_at);
  -- Who asks for it after the day's deadline does not mean tomorrow.
  if run.trigger = 'request' and config.hold_until < (run.due_at at time zone config.time_zone)::time then
    return null;
  end if;
  if deadline is null or deadline <= clock_timestamp() then
    return null;
  end if;
  stale := dba.stale_data(config, run.due_at);
  if stale = '{}' then
    return null;
  end if;
  return format('%s; held until %s', array_to_string(stale, '; '), dba.local_time_text(deadline, config.time_zone));
end
$$;
comment on function dba.hold_of_report(uuid) is 'What data a run of job report has to wait for, in words; null: it may start.';

create function dba.report_findings(config dba.reportconfig, fire timestamptz, tables text[])
returns table (what text, since timestamptz)
language sql
stable
as $$
  select format('dataset %s of "%s"%s is %s', d.dataset_id, d.datasource, coalesce(' (' || d.label || ')', ''),
      case d.state when 'quarantined' then 'quarantined: its rows are held back' else 'failed: its rows are missing' end), d.created_at
  from dba.dataset d
  where d.state in ('quarantined', 'failed') and d.created_at >= date_trunc('day', fire at time zone config.time_zone) at time zone config.time_zone
    and (d.datasource = any (config.fresh_datasets) or d.target_table = any (config.fresh_datasets || tables))
  union all
  select format('%s row%s of "%s" refused (%s): %s', count(*), case when count(*) = 1 then ' was' else 's were' end, d.datasource, r.rule, min(r.message)), max(r.created_at)
  from dba.reject r
  join dba.dataset d using (dataset_id)
  where r.state = 'open' and r.created_at >= date_trunc('day', fire at time zone config.time_zone) at time zone config.time_zone
    and (d.datasource = any (config.fresh_datasets) or d.target_table = any (config.fresh_datasets || tables))
  group by d.datasource, r.rule
  order by 2
$$;
comment on function dba.report_findings(dba.reportconfig, timestamptz, text[]) is 'Quality findings of the fire''s day about the data of a report: quarantined and failed datasets, refused rows.';
