-- What agents need to get past what fails, and to say how late they are.

alter table keelback.bulk add column failures smallint not null default 0; -- of its page, in a row

alter table keelback.search_cursor
    add column round_at timestamptz,         -- when the round over the open runs that is under way began
    add column ends_at  timestamptz;         -- when the last whole one began: every end before it is in, and so `at` is no later

create index run_search_queue on keelback.run_search (queue, id);

-- The whole audit without what a bulk did to each of its runs.
create index audit_by_hand on keelback.audit (app, id) where via <> 'bulk';
