"""The demo's tables: where they come from and what is in them."""
