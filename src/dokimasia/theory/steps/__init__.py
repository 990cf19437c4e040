"""Independent steps of cognitive power: a task of `n` serial subtasks, a mind that knows `Q` approaches to each.

Each approach takes a time of at least 1 with tail `P(X > x) = x**-alpha`, and a subtask takes as long as its fastest
approach, which is Pareto again, of index `a = Q * alpha`. All that follows depends on `a`: below `a = 1` the mean is
infinite and tasks take more than proportionally longer as they grow.
"""

from dokimasia.theory.steps.predicting import predict

__all__ = ["predict"]
