"""`dokimasia proxy`: is this reward safe to optimise, and how hard, judged by a file of its scores."""

from dokimasia.study.proxy.instrument import Proxy, proxy

__all__ = ["Proxy", "proxy"]
