"""What a run of the pipeline tells on the terminal: what goes on, how long still, what went wrong."""
