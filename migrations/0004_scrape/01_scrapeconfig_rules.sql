-- What a row of dba.scrapeconfig must be beyond its CHECKs, and what follows from it.

create function dba.scrapeconfig_rules()
returns trigger
language plpgsql
as $$
declare
  kind_found text;
begin
  if tg_op = 'INSERT' then
    new.datasource := coalesce(new.datasource, new.config_name);
    new.archive_folder := coalesce(new.archive_folder, 'archive/' || dba.folder_name(new.config_name));
    new.failed_folder := coalesce(new.failed_folder, 'failed/' || dba.folder_name(new.config_name));
  end if;
  perform dba.check_regex(new.follow_pattern, 'follow_pattern');
  perform dba.check_regex(new.file_pattern, 'file_pattern');
  if new.file_config is not null then
    perform dba.require_importconfig(new.file_config);
  end if;
  if new.connection_name is not null then
    select kind into kind_found from dba.connection where connection_name = new.connection_name;
    if kind_found is distinct from 'http' then
      perform dba.refuse(
        case when kind_found is null then format('no connection "%s"', new.connection_name) else format('connection "%s" is of kind %s', new.connection_name, kind_found) end,
        'Job scrape takes a connection of kind http. ' || dba.known_names_hint(new.connection_name, array(select connection_name from dba.connection where kind = 'http')), null, '23503');
    end if;
  end if;
  if new.source_zone is not null and not exists (select from dba.timezone where time_zone = new.source_zone) then
    perform dba.refuse(format('source_zone "%s" is not known', new.source_zone),
      coalesce(format('Did you mean "%s"? ', dba.nearest_name(new.source_zone, array(select time_zone from dba.timezone))), '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  return new;
end
$$;
comment on function dba.scrapeconfig_rules() is 'BEFORE trigger of dba.scrapeconfig: fills in what follows from the name, and refuses unreadable patterns and unknown names.';
create trigger m_scrapeconfig_rules before insert or update on dba.scrapeconfig for each row when (current_user <> 'rota_worker') execute function dba.scrapeconfig_rules();
create trigger register_dataset_names after insert or update of datasource, datasettype on dba.scrapeconfig for each row execute function dba.register_dataset_names();

select dba.adopt_config_table('scrape');
