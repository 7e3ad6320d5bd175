"""What suits one follower: tags given, what was opened lately, and the switch that ends it."""
