-- What follows a config when it is renamed or deleted, and scrapes that people ask for by its name.

-- At the commit, as dba.rename_config: the inventory and the counts go with their config.
create function dba.rename_scrape()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from dba.page where config_name = new.config_name;
  update dba.page set config_name = new.config_name where config_name = old.config_name;
  delete from dba.scrapecount where config_name = new.config_name;
  update dba.scrapecount set config_name = new.config_name where config_name = old.config_name;
  update dba.scheduler set schedule_name = left(new.config_name, 180) || ' (on request)'
  where job = 'scrape' and config_name = new.config_name and generated_by = 'requests for dba.scrapeconfig';
  return null;
end
$$;
comment on function dba.rename_scrape() is 'Deferred trigger of dba.scrapeconfig: gives pages, counts and the schedule of requests the new name of their config.';
create constraint trigger rename_scrape after update on dba.scrapeconfig deferrable initially deferred for each row
  when (new.config_name <> old.config_name and current_user <> 'rota_worker') execute function dba.rename_scrape();

create function dba.forget_scrape_requests()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from dba.scheduler where job = 'scrape' and config_name = old.config_name and generated_by = 'requests for dba.scrapeconfig';
  return old;
end
$$;
comment on function dba.forget_scrape_requests() is 'BEFORE DELETE trigger of dba.scrapeconfig: the schedule that carries requests goes with it.';
create trigger forget_request_schedule before delete on dba.scrapeconfig for each row execute function dba.forget_scrape_requests();

-- Rests on the right to execute it, given to rota_operator below; it asks for what the config says and nothing else.
create function dba.request_scrape(config text, replay boolean default false, reason text default null)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from dba.scrapeconfig c where c.config_name = config) then
    perform dba.refuse(format('no config "%s" in dba.scrapeconfig', coalesce(config, '')), dba.known_names_hint(coalesce(config, ''), array(select c.config_name from dba.scrapeconfig c)), null, '23503');
  end if;
  return dba.write_request_run('scrape', config, case when replay then '{"replay": true}'::jsonb else '{}' end, reason);
end
$$;
comment on function dba.request_scrape(text, boolean, text) is 'Scrapes by a config now; with replay the kept pages are read again, nothing is fetched and nothing loaded: select dba.request_scrape(''rates'', replay => true). Returns the run.';
revoke execute on function dba.request_scrape(text, boolean, text) from rota_reader, public;
grant execute on function dba.request_scrape(text, boolean, text) to rota_operator;
