"""Files to read: written for each test in its own folder."""

import json

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes bytes, text, or a value as JSON, and returns the file's path."""

    def written(content, name="suite.jsonl"):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return written
