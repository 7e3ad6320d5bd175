"""The local person: who at the nearest outlet or branch a follower can talk to, and how."""
