"""What WeChat must be made to agree with or told: the ledger and the worker that settles it."""
