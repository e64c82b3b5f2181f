"""Erasure: all that is held of a person goes, physically, and what comes later stays out.

`places` lists where a person's data is; `subject` says whose it is; `forgetting` erases it.
"""

from mi_core.erasure.forgetting import finish, forget, lift
from mi_core.erasure.receipt import Receipt
from mi_core.erasure.records import unfinished

__all__ = ["Receipt", "finish", "forget", "lift", "unfinished"]
