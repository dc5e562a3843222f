"""Orders of a shop: files in, a database out."""
