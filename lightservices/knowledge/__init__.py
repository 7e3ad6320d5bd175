"""Which service answers what a follower writes, how sure that is, and in what words it is said."""
