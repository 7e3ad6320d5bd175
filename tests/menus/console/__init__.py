"""The editors as people at the console meet them."""
