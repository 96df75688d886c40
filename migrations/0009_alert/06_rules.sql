-- What people may do with incidents, whom alerts may go to, and what dba.problem says of them.

create function dba.alert_rules()
returns trigger
language plpgsql
as $$
begin
  if new.state is null then
    -- Refused by say_why, with the column's words.
    return new;
  end if;
  if old.state = 'recovered' then
    perform dba.refuse(format('alert %s has recovered', old.alert_id), 'select * from dba.alert where state <> ''recovered'';');
  end if;
  if new.state is distinct from old.state and new.state = 'recovered' then
    perform dba.refuse('an alert recovers by itself', 'Set state to acknowledged or muted.', null, '42501');
  end if;
  if new.muted_until is distinct from old.muted_until and new.muted_until is not null then
    if new.muted_until <= clock_timestamp() then
      perform dba.refuse(format('muted_until is %s, which is over', dba.local_time_text(date_trunc('second', new.muted_until), dba.default_time_zone())),
        'Write a time that is to come: muted_until = ''tomorrow'', or now() + ''2 hours''.');
    end if;
    if new.state = old.state then
      new.state := 'muted';
    elsif new.state <> 'muted' then
      perform dba.refuse(format('an alert that is %s is not muted', new.state), 'Set muted_until alone, or state = ''muted''.');
    end if;
  elsif new.state = 'muted' and new.muted_until is null and old.state <> 'muted' then
    new.muted_until := 'infinity';
  elsif new.state <> 'muted' then
    new.muted_until := null;
  elsif new.muted_until is null then
    new.state := 'open';
  end if;
  new.assigned_to := nullif(btrim(new.assigned_to), '');
  if new.assigned_to ~ '[@[:cntrl:]]' and not dba.is_mail_address(new.assigned_to) then
    perform dba.refuse(format('assigned_to is "%s"', new.assigned_to), 'Write a name, or one mail address, which is told: ann@example.com.');
  end if;
  if new.state is distinct from old.state then
    new.acknowledged_by := case when new.state in ('acknowledged', 'muted') then session_user end;
    new.acknowledged_at := case when new.state in ('acknowledged', 'muted') then clock_timestamp() end;
  end if;
  return new;
end
$$;
comment on function dba.alert_rules() is 'BEFORE trigger of dba.alert for people.';
select dba.adopt_ledger_table('alert', '{state,muted_until,assigned_to}', 'Set state to acknowledged, muted or open, muted_until to a time, or assigned_to.', 'alert');
grant update on dba.alert to rota_operator;

create function dba.check_alert_to(place text, addresses text[])
returns void
language plpgsql
stable
as $$
declare
  wrong text;
begin
  select btrim(coalesce(a, '')) into wrong
  from unnest(addresses) a
  where not coalesce(dba.is_mail_address(btrim(a)), false) and not exists (select from dba.connection k where k.connection_name = btrim(a) and k.kind = 'webhook')
  limit 1;
  if found then
    perform dba.refuse(format('%s: "%s" is no mail address and no connection of kind webhook', place, wrong),
      'Write addresses like ann@example.com, or names of webhooks.'
        || (select case when count(*) > 0 then ' ' || dba.known_names_hint(wrong, array_agg(k.connection_name)) else '' end from dba.connection k where k.kind = 'webhook'));
  end if;
end
$$;
comment on function dba.check_alert_to(text, text[]) is 'Refuses what alerts cannot go to.';

create function dba.scheduler_alert_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' or new.alert_to is distinct from old.alert_to then
    perform dba.check_alert_to('alert_to', new.alert_to);
  end if;
  return new;
end
$$;
comment on function dba.scheduler_alert_rules() is 'BEFORE trigger of dba.scheduler: whom alerts may go to.';
create trigger n_scheduler_alert_rules before insert or update on dba.scheduler for each row when (current_user <> 'rota_worker') execute function dba.scheduler_alert_rules();

create function dba.setting_alert_rules()
returns trigger
language plpgsql
as $$
begin
  new.value := nullif(btrim(new.value), '');
  perform dba.check_alert_to('alert_to', string_to_array(new.value, ','));
  return new;
end
$$;
comment on function dba.setting_alert_rules() is 'BEFORE trigger of dba.setting: whom alerts may go to.';
create trigger n_setting_alert_rules before update on dba.setting for each row when (new.name = 'alert_to' and current_user <> 'rota_worker') execute function dba.setting_alert_rules();

create function dba.webhook_rules()
returns trigger
language plpgsql
as $$
declare
  users text[];
  unknown text;
begin
  if tg_op = 'DELETE' or old.kind = 'webhook' and new.kind <> 'webhook' then
    users := array(select s.schedule_name from dba.scheduler s where old.connection_name = any (s.alert_to));
    if users <> '{}' then
      perform dba.refuse(format('alerts of schedule %s go to webhook "%s"', dba.name_list(users), old.connection_name),
        format('Take it out first: update dba.scheduler set alert_to = array_remove(alert_to, %L) where %1$L = any (alert_to).', old.connection_name), null, '23503');
    end if;
    if exists (select from dba.setting t, unnest(string_to_array(t.value, ',')) a where t.name = 'alert_to' and btrim(a) = old.connection_name) then
      perform dba.refuse(format('dba.setting.alert_to names webhook "%s"', old.connection_name), 'Take it out first: update dba.setting set value = … where name = ''alert_to''.', null, '23503');
    end if;
    if tg_op = 'DELETE' then
      return old;
    end if;
  end if;
  if new.kind <> 'webhook' then
    return new;
  end if;
  if new.secret_name is null then
    perform dba.refuse(format('webhook "%s" has no secret_name', new.connection_name),
      format('The address of a webhook lets anybody write there, so it is a secret: rota secret set %s, and secret_name = that name.', new.connection_name));
  end if;
  if num_nonnulls(new.host, new.port, new.database_name, new.user_name) > 0 then
    perform dba.refuse('a webhook has no host, port, database or user', 'Its whole address is the secret that secret_name names.');
  end if;
  if new.tls = 'require' then
    perform dba.refuse('the certificate of a webhook is always checked', 'Leave tls at verify; off allows an address that begins with http://.');
  end if;
  select key into unknown from jsonb_object_keys(new.options) key where key not in ('shape', 'allow_private', 'timeout_seconds') limit 1;
  if unknown is not null then
    perform dba.refuse(format('a connection of kind webhook has no option "%s"', unknown), dba.known_names_hint(unknown, array['shape', 'allow_private', 'timeout_seconds']));
  end if;
  if coalesce(new.options ->> 'shape', 'generic') not in ('generic', 'slack', 'teams') then
    perform dba.refuse(format('option "shape" is %s', new.options -> 'shape'), 'Write one of: generic, slack, teams.');
  end if;
  if jsonb_typeof(new.options -> 'allow_private') <> 'boolean' then
    perform dba.refuse(format('option "allow_private" is %s', new.options -> 'allow_private'), 'Write true where the webhook is inside your own network, without quotes.');
  end if;
  if jsonb_typeof(new.options -> 'timeout_seconds') <> 'number' or (new.options ->> 'timeout_seconds')::numeric not between 1 and 120 then
    perform dba.refuse(format('option "timeout_seconds" is %s', new.options -> 'timeout_seconds'), 'Write a number from 1 to 120, without quotes.');
  end if;
  return new;
end
$$;
comment on function dba.webhook_rules() is 'BEFORE trigger of dba.connection: webhooks.';
create trigger n_webhook_rules before insert or update or delete on dba.connection for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.webhook_rules();

comment on column dba.connection.options is 'Further options of the kind, a JSON object. smtp: connections, mails_per_connection, per_second, per_minute, timeout_seconds, when_unknown, ca (PEM), implicit_tls, helo_name, auth (oauth, with tenant or token_url, client_id, scope), dkim_domain, dkim_selector, dkim_key (name of the secret); gmail: per_second, per_minute, when_unknown; webhook: shape (generic, slack, teams), allow_private, timeout_seconds.';

create function dba.alert_names_follow()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_table_name = 'scheduler' then
    update dba.alert a set subject = new.schedule_name
    where a.schedule_id = new.schedule_id and a.subject = old.schedule_name and a.state <> 'recovered' and a.kind in ('failed', 'missed', 'late', 'absent', 'slow', 'small', 'empty');
    return null;
  end if;
  update dba.alert a set subject = new.connection_name where a.kind = 'connection' and a.subject = old.connection_name and a.state <> 'recovered';
  update dba.scheduler set alert_to = array_replace(alert_to, old.connection_name, new.connection_name) where old.connection_name = any (alert_to);
  update dba.setting t
  set value = (select string_agg(case when btrim(a) = old.connection_name then new.connection_name else btrim(a) end, ', ' order by n) from unnest(string_to_array(t.value, ',')) with ordinality as u (a, n))
  where t.name = 'alert_to' and old.connection_name = any (array(select btrim(a) from unnest(string_to_array(t.value, ',')) a));
  update dba.alertmessage set address = new.connection_name where address = old.connection_name and way = 'webhook';
  return null;
end
$$;
comment on function dba.alert_names_follow() is 'AFTER trigger of dba.scheduler and dba.connection: incidents and addressees go by the new name.';
create trigger alert_names_follow after update of schedule_name on dba.scheduler for each row when (new.schedule_name <> old.schedule_name) execute function dba.alert_names_follow();
create trigger alert_names_follow after update of connection_name on dba.connection for each row when (new.connection_name <> old.connection_name) execute function dba.alert_names_follow();

create or replace function dba.alert_problem()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$
  -- The other kinds stand in dba.problem where their facts are.
  select case a.severity when 'info' then 'notice' else a.severity end, a.subject, a.opened_at,
    a.message || case when a.count > 1 then format(' (%s times so far)', a.count) else '' end, a.fix
  from dba.alert a
  where a.kind in ('late', 'absent', 'slow', 'small', 'empty', 'secret', 'disk') and a.state in ('open', 'acknowledged')

  union all
  select 'warning', 'alerts', min(a.opened_at),
    format('nobody is told of %s: %s', case count(*) when 1 then 'an open incident' else format('%s open incidents', count(*)) end, dba.name_list(array_agg(distinct a.subject))),
    'update dba.setting set value = ''ann@example.com'' where name = ''alert_to''; or dba.scheduler.alert_to'
  from dba.alert a
  where a.state = 'open' and a.told_at is null and a.opened_at < statement_timestamp() - interval '10 seconds'
    and not exists (select from dba.alert_addressee p where p.alert_id = a.alert_id)
  having count(*) > 0

  union all
  select 'severe', m.address, min(m.created_at),
    format('alerts do not reach this %s: %s (%s)', case m.way when 'mail' then 'address' else m.way end, (array_agg(m.answer order by m.message_id desc))[1],
      case count(*) when 1 then 'one message' else format('%s messages', count(*)) end),
    case m.way
      when 'mail' then format('update dba.scheduler set alert_to = array_remove(alert_to, %L) where %1$L = any (alert_to); or correct the owner, or dba.setting.alert_to', m.address)
      else format('Correct its address: rota secret set …; then select dba.check_connection(%L);', m.address)
    end
  from dba.alertmessage m
  where (m.state = 'failed' and m.created_at > statement_timestamp() - interval '7 days' or m.state = 'waiting' and m.answer is not null)
    -- What came through since is proof that it does.
    and not exists (select from dba.alertmessage n where n.address = m.address and n.state = 'told' and n.message_id > m.message_id)
  group by m.address, m.way
$$;

grant select on dba.watchmark, dba.disk, dba.alertmessage, dba.alert_told, dba.alert_addressee to rota_reader;
grant select, insert, update, delete on dba.watchmark, dba.disk, dba.alertmessage to rota_worker;
revoke execute on function dba.watch(timestamptz, boolean), dba.write_alert_messages(timestamptz), dba.write_digest(timestamptz), dba.explain_alerts(), dba.move_watchmark(text, timestamptz) from rota_reader;
select dba.pin_search_path();
