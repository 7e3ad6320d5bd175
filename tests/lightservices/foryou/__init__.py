"""For you: ranking by properties, consent and its end, pages, the list of the bank."""
