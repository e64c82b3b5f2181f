-- One row per stretch of time, without a gap, of which pulls and export files have all that PostHog
-- had (is_whole). Of a file whose name doesn't say its interval, only the hours with events of it
-- are certain (not is_whole).
with named as (
    select
        first_event_at,
        last_event_at,
        regexp_extract(
            file_name,
            '^(None|[0-9][0-9T:.-]+(?:Z|[+]00:?00))-([0-9][0-9T:.-]+(?:Z|[+]00:?00))(?:-\d+)?[.]',
            ['since', 'until']
        ) as interval_text
    from lake.ingest_batch
    where source = 'export'
),

file as (
    select
        first_event_at,
        last_event_at,
        case
            when interval_text.since = 'None' then timestamp '2000-01-01'
            else timezone('UTC', try_cast(interval_text.since as timestamptz))
        end as since,
        timezone('UTC', try_cast(interval_text.until as timestamptz)) as until
    from named
),

span as (
    select
        true as is_whole,
        since,
        until
    from lake.pull_window
    where since < until

    union all by name

    select
        true as is_whole,
        since,
        until
    from file
    where since < until

    union all by name

    select
        false as is_whole,
        first_event_at as since,
        last_event_at as until
    from file
    where (since < until) is not true and first_event_at is not null
),

beside as (
    select
        *,
        max(until) over (
            partition by is_whole
            order by since, until
            rows between unbounded preceding and 1 preceding
        ) as before
    from span
),

numbered as (
    select
        *,
        count(*) filter (before is null or since > before) over (
            partition by is_whole order by since, until rows unbounded preceding
        ) as stretch
    from beside
)

select is_whole, min(since) as since, max(until) as until
from numbered
group by is_whole, stretch
order by is_whole, since
