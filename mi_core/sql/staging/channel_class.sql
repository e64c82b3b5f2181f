-- One row per row of channel_evidence(evidence_id, utm_source, utm_medium, click_ids,
-- referrer_host, fixed_channel, is_touch), with its channel: that of the event itself, else that of
-- the first rule that holds, else direct for a touch and null for other events.
--
-- Click ids are named as PostHog sends them or as they are stored (has_gclid). Hosts are looked up
-- with everything that they are a subdomain of; the longest that is known decides.
with evidence as (
    select
        evidence_id,
        click_ids,
        fixed_channel,
        is_touch,
        nullif(regexp_replace(lower(trim(utm_source)), '[\s+_-]+', '_', 'g'), '') as utm_source,
        nullif(regexp_replace(lower(trim(utm_medium)), '[\s+_-]+', '_', 'g'), '') as utm_medium,
        host_of(trim(referrer_host)) as referrer_host
    from channel_evidence
),

click as (
    select
        e.evidence_id,
        -- An ads-only id is the surer sign; names only settle what is a tie otherwise.
        arg_min(t.platform, (not t.is_paid, t.term)) as platform,
        bool_or(t.is_paid) as is_paid
    from evidence as e, unnest(e.click_ids) as carried (click_id)
    join channel_term as t
        on t.field = 'click_id' and t.term = regexp_replace(lower(carried.click_id), '^has_', '')
    group by e.evidence_id
),

host as (
    select evidence_id, 'source' as field, string_split(host_of(utm_source), '.') as labels
    from evidence
    where contains(utm_source, '.')

    union all

    select evidence_id, 'referrer', string_split(referrer_host, '.')
    from evidence
    where referrer_host is not null
),

suffix as (
    select evidence_id, field, start, array_to_string(labels[start:], '.') as name
    from host, unnest(range(1, greatest(len(labels), 2))) as suffixes (start)
),

spelling as (
    select
        evidence_id,
        field,
        start,
        -- google.co.uk is also known as google.*
        unnest([name, regexp_replace(
            name, '\.(?:(?:co|com|ne|or|org|net|gov|edu)\.[a-z]{2}|[a-z]{2,})$', '.*'
        )]) as name
    from suffix
),

known_host as (
    select
        s.evidence_id,
        s.field,
        -- A struct, because arg_min passes over nulls, and a host of no platform is known as well.
        arg_min({'platform': r.platform}, (s.start, ends_with(r.host, '.*'))).platform as platform
    from spelling as s
    join referrer as r on r.host = s.name
    group by s.evidence_id, s.field
),

finding as (
    select
        e.evidence_id,
        e.fixed_channel,
        e.is_touch,
        coalesce(click.is_paid, false) as ad_click,
        case when source.is_paid then 'paid' else coalesce(medium.medium, 'other') end as medium,
        coalesce(
            case when click.is_paid then click.platform end,
            source.platform,
            source_host.platform,
            referrer_host.platform,
            click.platform
        ) as platform,
        e.utm_source is not null or e.utm_medium is not null as tagged,
        e.referrer_host is not null
        and (referrer_host.field is null or referrer_host.platform is not null) as referred
    from evidence as e
    left join click on click.evidence_id = e.evidence_id
    left join channel_term as source on source.field = 'utm_source' and source.term = e.utm_source
    left join channel_term as medium on medium.field = 'utm_medium' and medium.term = e.utm_medium
    left join known_host as source_host
        on source_host.evidence_id = e.evidence_id and source_host.field = 'source'
    left join known_host as referrer_host
        on referrer_host.evidence_id = e.evidence_id and referrer_host.field = 'referrer'
)

select
    f.evidence_id,
    coalesce(
        any_value(f.fixed_channel),
        arg_min(r.channel, r.position),
        case when bool_or(f.is_touch) then 'direct' end
    ) as channel
from finding as f
left join channel_rule as r
    on (r.ad_click is null or r.ad_click = f.ad_click)
    and (r.medium is null or r.medium = f.medium)
    and (r.platform is null or r.platform = f.platform)
    and (r.tagged is null or r.tagged = f.tagged)
    and (r.referred is null or r.referred = f.referred)
group by f.evidence_id
