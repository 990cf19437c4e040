"""One run: plan, cost, store, resume, progress. The only orchestrator: it hands subjects and evidence to instruments.

May import everything below it; knows what is stored where, and nothing of how an instrument measures.
"""
