"""Speed and memory, always beside a named peer or limit in the same run: `make bench`."""
