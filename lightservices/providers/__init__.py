"""Where query pages get their answers: one protocol, strict time-outs, a breaker before each."""
