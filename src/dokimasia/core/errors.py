"""One tree of errors, each with the exit code that the command line gives it."""

from __future__ import annotations


class DokimasiaError(Exception):
    """Anything that dokimasia raises on purpose."""

    exit_code = 1


class UserError(DokimasiaError):
    """Something that the user can put right: says what was expected, what was found and what to do."""

    exit_code = 2

    def __init__(self, expected: str, found: str, do: str) -> None:
        self.expected, self.found, self.do = expected, found, do
        super().__init__(f"{expected} {found} {do}")

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str, str]]:
        return type(self), (self.expected, self.found, self.do)


class DataError(UserError, ValueError):
    """Numbers that a statistic cannot be computed from."""


class SourceError(UserError):
    """A file of transcripts that cannot be read as one."""


class SubjectError(UserError):
    """A model that cannot be examined as asked."""


class TooLong(SubjectError):
    """Conversations that do not fit into the model's context."""


class MissingExtra(UserError):
    """An optional package that this command needs is not installed."""


class EnvironmentFault(DokimasiaError):
    """The machine failed (disk full, out of memory); what was measured is kept and a rerun resumes."""

    exit_code = 3


class CapReached(DokimasiaError):
    """A cap on money or time was reached; what was measured until then stands, and the rest was not measured."""


class RunInterrupted(DokimasiaError):
    """The user stopped the run; what was measured is kept and a rerun resumes."""

    exit_code = 130
