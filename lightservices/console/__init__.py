"""The console's pages of this floor: a branch's outlets, its figures, its own light services."""
