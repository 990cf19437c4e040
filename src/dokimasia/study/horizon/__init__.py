"""`dokimasia horizon`: how long are the tasks that each agent can do, judged by a table of its runs."""

from dokimasia.study.horizon.instrument import Horizon, horizon

__all__ = ["Horizon", "horizon"]
