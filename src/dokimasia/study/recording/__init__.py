"""A subject whose answers are recorded: what was answered once is never asked again.

Activations are kept by the row in the store of the run folder, replies of an endpoint one by one as they arrive, all else
by the batch. It knows the run folder and the meter, and no instrument.
"""

from dokimasia.study.recording.subject import record

__all__ = ["record"]
