-- An id is one app's: apps on one database never see each other.
alter table keelback.uniq add column app text;
update keelback.uniq u set app = q.app from keelback.run r join keelback.queue q on q.id = r.queue where r.id = u.run_id;
delete from keelback.uniq where app is null; -- its run is gone
alter table keelback.uniq alter column app set not null, drop constraint uniq_pkey, add primary key (app, id);
create index uniq_run on keelback.uniq (run_id); -- it goes with its run
