"""A stand-in for a bank's core: the API of ``docs/bank-core.openapi.yaml``, sample people."""
