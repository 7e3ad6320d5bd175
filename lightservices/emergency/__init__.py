"""Emergency service areas (应急专区): plans, what is in force where, what followers meet."""
