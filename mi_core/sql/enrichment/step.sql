-- One row per step, source and reason of the steps done in [$since, $until): of how many leads, and
-- whether a provider was at hand and would have been paid otherwise.
--
-- What another lead's answer stands in for is spared only if there is an answer. What can't be
-- asked, for want of a name, and what failed is not spared but missing.
select
    step,
    source,
    reason,
    coalesce(
        case source
            when 'cache' then provider <> 'local' and answer is not null
            when 'skipped' then provider <> 'local' and reason in ('free_mail', 'disposable')
            when 'rules' then reason in ('rules_sure', 'nothing_known')
        end,
        false
    ) as is_spared,
    count(*) as leads
from state.enrichment_step
where done_at >= $since::timestamp and done_at < $until::timestamp
group by all
order by all
