"""Scoring: sentences -> numbers. Spans as conlleval counts them, tags by accuracy; never averages of averages."""

from polytag.scoring.accuracy import TagCounts as TagCounts
from polytag.scoring.calibration import Calibration as Calibration
from polytag.scoring.calibration import Reliability as Reliability
from polytag.scoring.counts import Counts as Counts
from polytag.scoring.counts import Tally as Tally
from polytag.scoring.report import as_dict as as_dict
from polytag.scoring.report import table as table
from polytag.scoring.significance import approximate_randomisation as approximate_randomisation
from polytag.scoring.significance import sentence_counts as sentence_counts
from polytag.scoring.spans import SpanCounts as SpanCounts


def counts_for(scheme_is_plain: bool) -> Counts:
    """Empty counts with the metric that fits the scheme: accuracy for plain tags, span F1 for all others."""
    return TagCounts() if scheme_is_plain else SpanCounts()
