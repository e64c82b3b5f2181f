-- Which sources delivered what, so that a gap of one of them shows.

-- Deliveries of an event by further sources: analytics_events.source is the one that brought it
-- first. Each (event, source) is here once, at the event's own time. Erasing a person deletes the
-- rows of the person's events, by event_id.
create table event_delivery (
    event_id uuid,
    source varchar,                  -- as in analytics_events: export, webhook, query, capture
    occurred_at timestamp            -- that of the event in analytics_events
);
alter table event_delivery set partitioned by (year(occurred_at), month(occurred_at));

-- What was pulled by PostHog's query API: windows of occurred_at, each written in one transaction
-- with its rows. They say nothing of any person.
create table pull_window (
    since timestamp,
    until timestamp,                 -- exclusive
    run_since timestamp,             -- what the pull was to fetch: one that was interrupted goes on
    run_until timestamp,
    pulled_at timestamp,             -- when the pull began: what arrived later isn't in it
    delivered bigint,                -- rows that PostHog gave
    accepted bigint,
    duplicates bigint,
    withheld bigint,
    rejected bigint
);
