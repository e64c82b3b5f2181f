-- One row per node in scope: itself, the label that all of its person's nodes will come to share.
select node, node as label
from scope_node
union
select to_hash as node, to_hash as label
from scope_edge
