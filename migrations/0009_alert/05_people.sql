-- Who is told of an incident, and what there is to tell.

create view dba.alert_addressee as
  select distinct a.alert_id, p.address, case when dba.is_mail_address(p.address) then 'mail' else 'webhook' end as way
  from dba.alert a
  left join dba.scheduler s on s.schedule_id = a.schedule_id
  cross join lateral (
    select btrim(t.address) as address
    from unnest(case
        when cardinality(s.alert_to) > 0 then s.alert_to
        when dba.is_mail_address(coalesce(s.owner, a.owner)) then array[coalesce(s.owner, a.owner)]
        else string_to_array((select t.value from dba.setting t where t.name = 'alert_to'), ',')
      end) t (address)
    where btrim(t.address) <> ''
    union
    select a.assigned_to where dba.is_mail_address(a.assigned_to)
  ) p;
comment on view dba.alert_addressee is 'Who is told of an incident: alert_to of its schedule; else the owner, where that is an address; else dba.setting.alert_to; and whom it is assigned to.';
comment on column dba.alert_addressee.alert_id is 'The incident.';
comment on column dba.alert_addressee.address is 'Mail address, or connection of kind webhook.';
comment on column dba.alert_addressee.way is 'mail or webhook.';

create function dba.write_alert_messages(at timestamptz)
returns void
language plpgsql
as $$
declare
  repeat_after constant interval := (select t.value::interval from dba.setting t where t.name = 'alert_repeat');
begin
  with free as materialized (
    select a.alert_id from dba.alert a
    where a.state = 'open' and (a.told_at is null or a.told_at <= write_alert_messages.at - repeat_after)
    for no key update skip locked
  ), told as (
    insert into dba.alertmessage (alert_id, event, number, address, way, created_at)
    select a.alert_id, case when before.number is null then 'opened' else 'repeated' end, coalesce(before.number + 1, 1), p.address, p.way, write_alert_messages.at
    from free
    join dba.alert a using (alert_id)
    join dba.alert_addressee p using (alert_id)
    left join lateral (select max(m.number) as number from dba.alertmessage m where m.alert_id = a.alert_id and m.event in ('opened', 'repeated')) before on true
    -- What waits for the end of quiet hours is not repeated while it waits.
    where not exists (select from dba.alertmessage m where m.alert_id = a.alert_id and m.state = 'waiting' and m.event in ('opened', 'repeated') and a.told_at is not null)
    on conflict do nothing
    returning alert_id
  )
  update dba.alert a set told_at = write_alert_messages.at where a.alert_id in (select alert_id from told);

  insert into dba.alertmessage (alert_id, event, address, way, created_at)
  select a.alert_id, 'assigned', a.assigned_to, 'mail', write_alert_messages.at
  from dba.alert a
  where a.state in ('open', 'acknowledged') and dba.is_mail_address(a.assigned_to)
    and not exists (select from dba.alertmessage m where m.alert_id = a.alert_id and m.event = 'opened' and m.address = a.assigned_to and m.created_at = write_alert_messages.at)
  on conflict do nothing;

  -- Those who were told that it is so are told that it is over; the others need not be told anything.
  insert into dba.alertmessage (alert_id, event, address, way, created_at)
  select distinct a.alert_id, 'recovered', m.address, m.way, write_alert_messages.at
  from dba.alert a
  join dba.alertmessage m using (alert_id)
  left join dba.scheduler s on s.schedule_id = a.schedule_id
  where a.state = 'recovered' and a.closed_at = write_alert_messages.at and m.state = 'told' and m.event in ('opened', 'repeated', 'assigned')
    and (a.schedule_id is null or 'recovered' = any (s.alert_on))
  on conflict do nothing;
  update dba.alertmessage m
  set state = 'dropped', reason = case a.state when 'recovered' then 'it recovered before anybody was told' else 'it was muted' end
  from dba.alert a
  where a.alert_id = m.alert_id and m.state = 'waiting' and (a.state = 'recovered' and m.event <> 'recovered' and m.event <> 'digest' or a.state = 'muted');

  perform dba.write_digest(write_alert_messages.at);
end
$$;
comment on function dba.write_alert_messages(timestamptz) is 'Writes down what there is to tell to whom; each thing once. Part of dba.watch.';

create function dba.write_digest(at timestamptz)
returns void
language plpgsql
as $$
declare
  zone constant text := dba.default_time_zone();
  hour constant time := (select t.value::time from dba.setting t where t.name = 'digest_at');
  today constant date := (at at time zone zone)::date;
  struck timestamptz := (today + hour) at time zone zone;
  digested constant timestamptz := (select m.moved_at from dba.watchmark m where m.mark = 'digest');
begin
  if struck > write_digest.at then
    struck := (today - 1 + hour) at time zone zone;
  end if;
  if digested is null or hour is null then
    -- The first one is that of tomorrow.
    perform dba.move_watchmark('digest', write_digest.at) where digested is null or digested < write_digest.at - interval '1 hour';
    return;
  end if;
  if digested >= struck then
    return;
  end if;
  insert into dba.alertmessage (alert_id, event, number, address, way, created_at)
  select a.alert_id, 'digest', today - date '2000-01-01', p.address, p.way, write_digest.at
  from dba.alert a join dba.alert_addressee p using (alert_id)
  where a.state <> 'recovered' or a.closed_at > digested
  on conflict do nothing;
  perform dba.move_watchmark('digest', write_digest.at);
end
$$;
comment on function dba.write_digest(timestamptz) is 'Once a day, at dba.setting.digest_at: everybody concerned is told what is open and what recovered. Part of dba.watch.';

create function dba.quiet_until(at timestamptz default statement_timestamp())
returns timestamptz
language sql
stable
as $$
  select case
    when q.is_quiet then ((q.day + case when q.here >= q.begins and q.begins > q.ends then 1 else 0 end) + q.ends) at time zone q.zone
  end
  from (
    select p.*, case when p.begins <= p.ends then p.here >= p.begins and p.here < p.ends else p.here >= p.begins or p.here < p.ends end as is_quiet
    from (
      select split_part(t.value, '-', 1)::time as begins, split_part(t.value, '-', 2)::time as ends, z.zone,
        (quiet_until.at at time zone z.zone)::time as here, (quiet_until.at at time zone z.zone)::date as day
      from dba.setting t, (select dba.default_time_zone() as zone) z
      where t.name = 'quiet_hours' and t.value is not null
    ) p
  ) q
$$;
comment on function dba.quiet_until(timestamptz) is 'When the quiet hours end that it is now (dba.setting.quiet_hours, in the zone time_zone): only severe alerts are told before. Null: it is not quiet.';

create function dba.messages_due(at timestamptz default statement_timestamp())
returns table (message_id bigint, address text, way text, event text)
language sql
stable
as $$
  with free as (
    select m.message_id, m.address, m.way, m.event, m.created_at, m.attempts, m.next_try_at
    from dba.alertmessage m join dba.alert a using (alert_id)
    where m.state = 'waiting' and (a.severity = 'severe' or dba.quiet_until(messages_due.at) is null)
  )
  select f.message_id, f.address, f.way, f.event
  from (
    select f.*, max(f.created_at) filter (where f.attempts = 0) over of_address as newest, min(f.created_at) over of_address as oldest, max(f.next_try_at) over of_address as not_before
    from free f window of_address as (partition by f.address)
  ) f
  -- A storm takes a while to come to its end.
  where (f.newest is null or f.newest <= messages_due.at - interval '10 seconds' or f.oldest <= messages_due.at - interval '1 minute')
    and coalesce(f.not_before, '-infinity') <= messages_due.at
  order by f.message_id
$$;
comment on function dba.messages_due(timestamptz) is 'Messages that may go out now: those of an address when nothing new has come for it in ten seconds, or after a minute; not in quiet hours, but for severe ones.';
