-- 1,000,000 runs that ended over the last 5 days and 100,000 that wait, for looking at the jobs pages at that size:
--   psql "$URL" -v app=RecordStore -f bench/seed-jobs.sql
-- The agents of a running app then copy them; the pages show how far they are.
\set ON_ERROR_STOP on
insert into keelback.queue (app, name) select :'app', n from unnest(array['default', 'mail', 'import', 'media']) n on conflict do nothing;

create temp table seed as
select i,
       keelback.first_run_id(keelback.clock() - interval '5 days' * (1 - i / 1000000.0)) | (nextval('keelback.run_seq') & 4194303) as id,
       (array['Receipts.Send', 'Mails.Digest', 'Imports.File', 'Media.Resize', 'Media.Fetch', 'Search.Index'])[1 + i % 6] as kind,
       (array['mail', 'mail', 'import', 'media', 'media', 'default'])[1 + i % 6] as queue,
       case when i % 97 = 0 then 2 when i % 1009 = 0 then 3 else 1 end as state,
       interval '1 ms' * (exp(random() * 8)) as took,
       interval '1 ms' * (exp(random() * 6)) as waited
from generate_series(1, 1000000) i;

insert into keelback.run (id, kind, queue, priority, state, attempt, max_attempts, input, output, error, started_at, finished_at)
select s.id, s.kind, q.id, 4, s.state, 1 + (s.i % 50 = 0)::int, 4,
       jsonb_build_object('invoiceId', s.i, 'to', 'customer' || s.i % 5000 || '@example.com', 'note', md5(s.i::text)),
       case when s.state = 1 then to_jsonb('sent'::text) end,
       case when s.state = 2 then jsonb_build_object('type', 'System.TimeoutException', 'message', 'The mail server did not answer within 30 s, case ' || s.i % 40,
           'details', repeat('   at Mails.Smtp.SendAsync(Mail mail) in Smtp.cs:line 42' || chr(10), 12)) end,
       keelback.run_enqueued_at(s.id) + s.waited, keelback.run_enqueued_at(s.id) + s.waited + s.took
from seed s join keelback.queue q on q.app = :'app' and q.name = s.queue;

insert into keelback.attempt (run_id, n, worker_id, started_at, ended_at, outcome, error)
select id, attempt, 1, started_at, finished_at, 0, error from keelback.run where state = 2;

-- A queue of its own that no worker takes, so that they stay: a worker of the app must name its queues.
insert into keelback.queue (app, name) values (:'app', 'backlog') on conflict do nothing;
with made as (
    insert into keelback.run (id, kind, queue, priority, max_attempts, input)
    select keelback.first_run_id(keelback.clock()) | (nextval('keelback.run_seq') & 4194303), 'Media.Resize', q.id, 4, 4, jsonb_build_object('track', i)
    from generate_series(1, 100000) i, (select id from keelback.queue where app = :'app' and name = 'backlog') q
    returning id, queue, priority
)
insert into keelback.ready (queue, priority, run_id) select queue, priority, id from made;
drop table seed;
-- The agent begins anew: these ids are older than what it has seen.
update keelback.search_cursor set fast = 0, safe = 0, tick = null, tick_xmax = null, look = 0, look_back = 0;
analyze keelback.run;
analyze keelback.ready;
