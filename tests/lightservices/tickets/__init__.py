"""Tickets: pure rules, operations on a furnished bank, followers' pages, the desk, the chat."""
