-- Every word of arguments and errors, the first of each line too; errors of runs that are still tried; and that many were opened again.

-- The words of a text of JSON as they stand, in lower case; no dictionary, no stemming. The first 4,000 characters count. Its escapes are no
-- letters: \n ends a word and begins none. Each is taken with the backslash before it, so that \\n is a backslash and the letter n.
-- Rows that were written before stay as they are.
create or replace function keelback.words_of(text text) returns tsvector language sql immutable parallel safe as $$
    select array_to_tsvector(array(
        select distinct left(w, 100)
        from regexp_split_to_table(lower(regexp_replace(left(text, 4000), '\\(u[0-9a-f]{0,4}|.)', ' ', 'g')), '[^[:alnum:]]+') w where w <> ''))
$$;

alter table keelback.run_search
    add column failures smallint not null default 0; -- attempts that had failed when its words were taken last

alter table keelback.search_cursor
    add column again_at timestamptz;         -- since when the round over ended runs that is under way finds some that were opened again
