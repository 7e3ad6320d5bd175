"""The one door WeChat knocks on: verify, understand, act once, answer."""
