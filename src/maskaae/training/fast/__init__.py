"""The same numbers as the plain training step gives, faster; each module says where the definition is."""
