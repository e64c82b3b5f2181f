-- A scoring writes again what has changed, and a look at one person reads what it stores.

-- What a score needs of a person changes seldom, and what the newest scoring says of a person
-- follows from it: it is no longer stored for everybody.
drop table mv_person;

-- Features hold as of the newest run in score_run, whenever they were written: rows of those alone
-- are written again whose features have changed. The next run writes everybody's.
drop table user_feature;
create table user_feature (
    user_bucket utinyint,            -- as in user_event
    user_id uuid,
    time_window varchar,             -- '7d' or '30d'
    signals_count bigint,
    points_micro bigint,             -- sum of points, in millionths: integers add up in any order
    engagement_micro bigint,
    purchase_intent_micro bigint,
    last_signal_at timestamp,
    top_signals varchar[],
    active_days integer,             -- UTC dates with an engagement event in the last 7 days
    active_weeks integer,            -- of the four 7-day blocks that end at as_of
    reactivations bigint,
    social_returns bigint,
    email_sends bigint,
    email_opens bigint,
    email_clicks bigint,
    trial_started boolean,
    purchase_made boolean,
    former_ids varchar[]             -- ids that some of their scores before that day are under
);
alter table user_feature set sorted by (user_id, time_window);

-- Where one stands among the people of a persona, as of the newest scoring.
create table magnetism_cohort (
    persona varchar,
    time_window varchar,
    people bigint,
    average double,
    indexes double[],                -- where the percentile changes, the lowest first
    people_up_to bigint[]            -- how many people are at or below each
);
