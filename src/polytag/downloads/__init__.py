"""Corpora and word vectors from where they are published: the licence first, then checksums, resumable and atomic.

``catalogue.toml`` says what there is and where; `get` brings one name into the data directory, with a plan that trains
on it. Nothing here needs torch; fetching needs httpx, the extra ``polytag[download]``.
"""

from polytag.downloads.catalogue import Dataset as Dataset
from polytag.downloads.catalogue import Licence as Licence
from polytag.downloads.catalogue import lookup as lookup
from polytag.downloads.catalogue import names as names
from polytag.downloads.datasets import Got as Got
from polytag.downloads.datasets import get as get
from polytag.downloads.datasets import is_there as is_there
from polytag.downloads.datasets import licence_text as licence_text
from polytag.downloads.fetch import Fetcher as Fetcher
from polytag.downloads.fetch import check_httpx as check_httpx
