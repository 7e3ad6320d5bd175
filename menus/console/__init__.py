"""The console's pages where people edit what followers see: zones, head office's frame, venues."""
