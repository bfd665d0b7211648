"""Reports: what a model gets right and wrong, and whether another differs from it by more than chance.

Everything here works on sentences with gold and predicted spans and needs no torch. Pages are made by Jinja2 and
matplotlib, which are an extra.
"""

from polytag.reports.cases import Case as Case
from polytag.reports.cases import Cases as Cases
from polytag.reports.cases import read_cases as read_cases
from polytag.reports.comparison import Comparison as Comparison
from polytag.reports.comparison import compare_cases as compare_cases
from polytag.reports.comparison import comparison_page as comparison_page
from polytag.reports.model_report import report_cases as report_cases
from polytag.reports.model_report import report_page as report_page
