"""Findings become claims, an argument and a report. Knows quantities, and no instrument by name.

May import `show`, `stats` and `core`.
"""

from dokimasia.case.argument import Case, build_case
from dokimasia.case.reports import write_reports

__all__ = ["Case", "build_case", "write_reports"]
