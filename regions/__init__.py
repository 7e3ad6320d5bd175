"""Where: divisions, branches, areas, and where each follower is now."""
