"""Binding a follower to a customer of the bank, with consent, so that accounts may be asked for."""
