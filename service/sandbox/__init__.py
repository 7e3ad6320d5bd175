"""A stand-in for the WeChat platform that speaks its real API, with its real limits."""

from service.sandbox.server import Sandbox, running

__all__ = ["Sandbox", "running"]
