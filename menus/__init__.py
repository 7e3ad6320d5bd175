"""What is offered there: which menu each follower should see, and making WeChat agree."""
