-- How long a renewal holds: a lease that lasts longer than that was renewed before the clock went back.
alter table keelback.worker add column lease interval;
