-- One row per instant whose snapshots may go: over $days days older than the newest scoring, not
-- the last scoring of its UTC day, and not in one of the seconds $kept. Besides scorings, those are
-- the instants at which one person alone was scored.
with
newest as (
    select max(as_of) - to_days($days) as kept_from
    from lake.score_run
),
scored as (
    select as_of
    from lake.score_run
    union
    select as_of
    from lake.user_intent_score
    where as_of < (select kept_from from newest)
)
select scored.as_of
from scored
cross join newest
where
    scored.as_of < newest.kept_from
    and not list_contains($kept::timestamp[], date_trunc('second', scored.as_of))
    and exists (
        select 1
        from lake.score_run as later
        where later.as_of > scored.as_of and later.as_of::date = scored.as_of::date
    )
