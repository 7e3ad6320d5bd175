"""What followers ask the bank's people for: a form becomes a ticket, a branch answers it."""
