-- One row per column of a table of the lake: its least and its greatest value, by what the catalog
-- notes of the files that are left; null where it doesn't note them of each. Read from data_file,
-- file_bound and column_type, which are the catalog's.
--
-- The catalog never narrows what it notes of a whole table, so that a value may outlive its rows.
with
noted as (
    select
        bound.table_id,
        bound.column_id,
        bound.min_value,
        bound.max_value,
        regexp_matches(kind.column_type, '^u?int|^float') as is_number,
        bound.value_count > bound.null_count and bound.min_value is null as is_unknown
    from file_bound as bound
    join data_file as file using (data_file_id)
    join column_type as kind
        on kind.table_id = bound.table_id and kind.column_id = bound.column_id
    where file.end_snapshot is null and kind.end_snapshot is null
)
select
    table_id,
    column_id,
    case
        when bool_or(is_unknown) then null
        when bool_or(is_number) then arg_min(min_value, try_cast(min_value as double))
        else min(min_value)
    end as min_value,
    case
        when bool_or(is_unknown) then null
        when bool_or(is_number) then arg_max(max_value, try_cast(max_value as double))
        else max(max_value)
    end as max_value
from noted
group by table_id, column_id
