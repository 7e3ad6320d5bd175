"""The WeChat border: its envelopes, its messages, its API, its tokens."""
