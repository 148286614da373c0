"""The paper's claims, each as measurable statements with an interval over seeds and a verdict."""
