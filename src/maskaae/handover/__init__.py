"""Handing a trained model over: networks that other tools run, and a card that says what it is."""
