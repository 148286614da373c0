"""The choice of hyper-parameters, on a validation part of the training split, where none is published."""
