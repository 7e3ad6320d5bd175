"""What is there: the catalogue of pages, zones, promotions and outlets."""
