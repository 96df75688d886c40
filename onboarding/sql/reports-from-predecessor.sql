-- Loads the predecessor's reports: copies its table treportmanager, as it is, into dba.reportconfig and dba.reportquery. Run as rota_dba, after
-- the table was brought along into schema predecessor:
--   pg_dump -t dba.treportmanager feeds | sed 's/dba\.treportmanager/predecessor.treportmanager/g' | psql …
-- May be run again: reports that are there stay as they are. All come switched off, since their queries name tables of the former database: look at
-- each (rota report "…" --preview), then update dba.reportconfig set is_active = true where config_name = '…'.

insert into dba.reportconfig (config_name, is_active, cron, subject, to_addresses, body_html, description, owner)
select
  btrim(r.reportname), false, btrim(r.frequency), btrim(regexp_replace(r.subjectheader, '\s+', ' ', 'g')),
  array(select btrim(a) from regexp_split_to_table(r.toheader, '[,;]') a where btrim(a) <> ''),
  -- A place without a query was taken out when the mail was made; here it would fail the run.
  (select coalesce(
      regexp_replace(r.emailbodytemplate, '\{\{\s*(?!(' || coalesce(string_agg(k, '|'), '') || ')\s*\}\})[^{}]*\}\}', '', 'g'), r.emailbodytemplate)
    from jsonb_object_keys(coalesce(r.emailbodyqueries, '{}')) k),
  concat_ws(' ', r.reportdescription, format('(was report %s, %s)', r.reportid, case r.datastatusid when 1 then 'active' else 'not active' end)),
  r.createduser
from predecessor.treportmanager r
on conflict (config_name) do nothing;

-- {"grid1": "SELECT …"}: a table at {{grid1}}.
insert into dba.reportquery (config_name, query_name, shown_as, position, query_text)
select btrim(r.reportname), q.key, 'table', q.position, q.value
from predecessor.treportmanager r
cross join lateral jsonb_each_text(coalesce(r.emailbodyqueries, '{}')) with ordinality q (key, value, position)
on conflict (config_name, query_name) do nothing;

-- [{"name": "file_{timestamp}.csv", "query": "SELECT …"}]: a file, where hasattachment says so.
insert into dba.reportquery (config_name, query_name, shown_as, file_name, position, query_text)
select btrim(r.reportname), 'file_' || q.position, case when q.value ->> 'name' ilike '%.xlsx' then 'xlsx' else 'csv' end, q.value ->> 'name', 100 + q.position, q.value ->> 'query'
from predecessor.treportmanager r
cross join lateral jsonb_array_elements(coalesce(r.attachmentqueries, '[]')) with ordinality q (value, position)
where r.hasattachment
on conflict (config_name, query_name) do nothing;
