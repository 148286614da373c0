"""What is made of csv and json: figures, tables, claims and the summary of the user's own data."""
