"""What each report tells: its figures, its sentences, its tables.

A report is one package here and one notebook `notebooks/report-<name>.ipynb`, which calls it cell
by cell:

- `figures.py` has a frozen dataclass whose `read(workspace, as_of=, days=, …)` takes all figures
  from one snapshot of the lake, by relations of `sql/reports/`: an `Edition` and frames.
- `findings.py` writes the sentences: what happened, why, what to do, how sure that is. Whatever is
  compared with the period before goes through `comparing`, so that chance is never told as news.
- `listings.py` has tables, the meaning of the words, and the foot.

`period` says which days a report is about, `comparing` how sure a change is, and `foot` ends the
page and leaves with it what is needed to make it again.
"""
