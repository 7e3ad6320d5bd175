"""The local person: who is found for whom, what branches may publish, passing on to agents."""
