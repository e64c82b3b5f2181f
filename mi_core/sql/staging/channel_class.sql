-- One row per row of channel_evidence(evidence_id, utm_source, utm_medium, click_ids, referrer_host,
-- fixed_channel, is_touch), with its channel: that of the event itself, else that of the first rule which
-- holds, else direct for a touch and null for other events.
--
-- Click ids are named as PostHog sends them or as they are stored (has_gclid).
-- Names are looked up whole, hosts with everything they are a subdomain of, so that each lookup is an
-- equality join; the longest host that is known decides.
with evidence as (
    select
        evidence_id,
        click_ids,
        fixed_channel,
        is_touch,
        nullif(regexp_replace(lower(trim(utm_source)), '[\s+_-]+', '_', 'g'), '') as utm_source,
        nullif(regexp_replace(lower(trim(utm_medium)), '[\s+_-]+', '_', 'g'), '') as utm_medium,
        nullif(nullif(regexp_extract(
            lower(trim(referrer_host)), '^(?:[a-z][a-z0-9+.-]*://|//)?([^/:?#\s]*)', 1
        ), '$direct'), '') as referrer_host
    from channel_evidence
),

click as (
    select
        evidence.evidence_id,
        -- An ads-only id is the surer sign; the order of names only settles what is else a tie.
        arg_min(term.platform, (not term.is_paid, term.term)) as platform,
        bool_or(term.is_paid) as is_paid
    from evidence, unnest(evidence.click_ids) as carried (click_id)
    inner join channel_term as term
        on term.field = 'click_id'
        and term.term = regexp_replace(lower(carried.click_id), '^has_', '')
    group by evidence.evidence_id
),

host as (
    select evidence_id, 'utm_source' as field, replace(utm_source, '_', '-') as host
    from evidence
    where contains(utm_source, '.')
    union all
    select evidence_id, 'referrer', referrer_host
    from evidence
    where referrer_host is not null
),

suffix as (
    select evidence_id, field, start, array_to_string(labels[start:], '.') as name
    from (select *, string_split(host, '.') as labels from host),
        unnest(range(1, greatest(len(labels), 2))) as suffixes (start)
),

spelling as (
    select evidence_id, field, start, 1 as rank, name
    from suffix
    union all
    -- google.co.uk is also known as google.*
    select evidence_id, field, start, 2, regexp_replace(
        name, '\.(?:(?:co|com|ne|or|org|net|gov|edu)\.[a-z]{2}|[a-z]{2,})$', '.*'
    )
    from suffix
),

known_host as (
    select
        spelling.evidence_id,
        spelling.field,
        -- A struct, because arg_min passes over nulls, and a host of no platform is known all the same.
        arg_min({'platform': referrer.platform}, (spelling.start, spelling.rank)).platform
            as platform
    from spelling
    inner join referrer on referrer.host = spelling.name
    group by spelling.evidence_id, spelling.field
),

finding as (
    select
        evidence.evidence_id,
        evidence.fixed_channel,
        evidence.is_touch,
        coalesce(click.is_paid, false) as ad_click,
        case when source.is_paid then 'paid' else coalesce(medium.medium, 'other') end as medium,
        coalesce(
            case when click.is_paid then click.platform end,
            source.platform,
            source_host.platform,
            referrer_host.platform,
            click.platform
        ) as platform,
        evidence.utm_source is not null or evidence.utm_medium is not null as tagged,
        evidence.referrer_host is not null
        and (referrer_host.evidence_id is null or referrer_host.platform is not null) as referred
    from evidence
    left join click on click.evidence_id = evidence.evidence_id
    left join channel_term as source
        on source.field = 'utm_source' and source.term = evidence.utm_source
    left join channel_term as medium
        on medium.field = 'utm_medium' and medium.term = evidence.utm_medium
    left join known_host as source_host
        on source_host.evidence_id = evidence.evidence_id and source_host.field = 'utm_source'
    left join known_host as referrer_host
        on referrer_host.evidence_id = evidence.evidence_id and referrer_host.field = 'referrer'
),

ruled as (
    select finding.evidence_id, arg_min(rule.channel, rule.position) as channel
    from finding
    inner join channel_rule as rule
        on (rule.ad_click is null or rule.ad_click = finding.ad_click)
        and (rule.medium is null or rule.medium = finding.medium)
        and (rule.platform is null or rule.platform = finding.platform)
        and (rule.tagged is null or rule.tagged = finding.tagged)
        and (rule.referred is null or rule.referred = finding.referred)
    group by finding.evidence_id
)

select
    finding.evidence_id,
    coalesce(
        finding.fixed_channel, ruled.channel, case when finding.is_touch then 'direct' end
    ) as channel
from finding
left join ruled on ruled.evidence_id = finding.evidence_id
