-- One row per part of the magnetism index, and one of all: the sums of it over the people of drawn
-- who were scored now, and then; and of its change over those who were scored both times, with the
-- sum of the squares. In hundredths of a point. The parts are rounded for each person; what the
-- index has beside them, for a trial or a purchase, is `bonus`.
with
point as (
    select
        unnest([
            {
                'part': 'intent', 'position': 1,
                'value': 100 * now.intent, 'was': 100 * past.intent
            },
            {
                'part': 'engagement', 'position': 2,
                'value': 100 * now.engagement, 'was': 100 * past.engagement
            },
            {
                'part': 'reactivation', 'position': 3,
                'value': 100 * now.reactivation, 'was': 100 * past.reactivation
            },
            {
                'part': 'email_ctr', 'position': 4,
                'value': 100 * now.email_ctr, 'was': 100 * past.email_ctr
            },
            {
                'part': 'social_returns', 'position': 5,
                'value': 100 * now.social_returns, 'was': 100 * past.social_returns
            },
            {
                'part': 'bonus', 'position': 6,
                'value': now.index_100 - 100 * (
                    now.intent + now.engagement + now.reactivation + now.email_ctr
                    + now.social_returns
                ),
                'was': past.index_100 - 100 * (
                    past.intent + past.engagement + past.reactivation + past.email_ctr
                    + past.social_returns
                )
            },
            {'part': 'index', 'position': 7, 'value': now.index_100, 'was': past.index_100}
        ], recursive := true)
    from drawn
)
select
    part,
    count(value) as people,
    coalesce(sum(value), 0)::bigint as points,
    count(was) as people_then,
    coalesce(sum(was), 0)::bigint as points_then,
    count(value - was) as both,
    coalesce(sum(value - was), 0)::bigint as change,
    coalesce(sum((value - was) ** 2), 0)::bigint as change_squares
from point
group by part, position
order by position
