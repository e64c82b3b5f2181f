-- One row per stretch of time, without a gap, of which pulls and export files have all that PostHog
-- had (is_whole). Of a file whose name doesn't say its interval, only the hours with events of it
-- are certain (not is_whole).
with iso as (
    select '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)' as pattern
),

file as (
    select
        f.first_event_at,
        f.last_event_at,
        regexp_extract(
            f.file_name,
            concat('^(None|', iso.pattern, ')-(', iso.pattern, ')(?:-\d+)?\.'),
            ['since', 'until']
        ) as named
    from lake.ingest_batch as f
    cross join iso
    where f.source = 'export'
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
        case
            when named.since = 'None' then timestamp '2000-01-01'
            else timezone('UTC', named.since::timestamptz)
        end as since,
        timezone('UTC', named.until::timestamptz) as until
    from file
    where named.until <> ''

    union all by name

    select
        false as is_whole,
        first_event_at as since,
        last_event_at as until
    from file
    where named.until = '' and first_event_at is not null
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
