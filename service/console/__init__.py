"""The console: where the bank's own people work. Every package brings pages, the shell is here."""
