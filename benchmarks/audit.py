"""The whole audit of the bundled model at the quick budget, warm, in a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time

from dokimasia.models.bundled import bundled_folder

SECONDS, GIGABYTES = 300, 4


def run():
    bundled_folder()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "dokimasia", "audit", "--run", f"{folder}/run"], check=True, capture_output=True
        )
        seconds = time.perf_counter() - start
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    yield f"{seconds:.0f} s (limit {SECONDS})", seconds < SECONDS
    yield f"peak memory {gigabytes:.2f} GB (limit {GIGABYTES})", gigabytes < GIGABYTES
