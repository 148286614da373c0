"""The user's own data: recognised, read, split and scaled."""
