"""One person proposes, another approves: documents, their versions, and how they go live."""
