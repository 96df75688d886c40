-- Where the loader puts rows that have to be looked at before they go into a target.
create schema rota_staging;
comment on schema rota_staging is 'Rows of files on their way into targets; the loader makes and drops these tables by itself.';
grant usage, create on schema rota_staging to rota_target;
grant usage on schema rota_staging to rota_job;

select dba.pin_search_path();
