-- One row per batch whose people this run sees, so that its marks have done their work.
select distinct batch_id
from lake.touched_user
