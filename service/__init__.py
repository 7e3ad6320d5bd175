"""The account itself: what it hears, what it says, who follows it, who runs it."""
