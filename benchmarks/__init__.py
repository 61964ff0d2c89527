"""How fast Lightbox is, against the naive design that it replaces: `make bench`."""
