"""Subject (and transcripts) in, finding out: one folder for each question asked of a model.

What several families need is in `common`; families do not know each other, nor the organisms that they are tried on.
May import `models`, `sources`, `theory`, `stats` and `core`.
"""
