"""The same numbers as the automatic training step gives, faster; each module says where the definition is."""
