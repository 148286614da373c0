"""How many dimensions data need: the vote of several seeds, with what speaks against believing it."""
