"""The follower's light pages: rendered on the server, readable without a script."""
