"""What should happen: closed forms and simulations of the field's quantitative models.

Each model is a folder or file of its own and answers with a `Prediction`: numbers, tables and figures as data. Nothing here
reads a file or asks a model; it imports NumPy, SciPy, `stats` and `core`, and nothing else.
"""

from dokimasia.theory.prediction import Prediction, Value

__all__ = ["Prediction", "Value"]
