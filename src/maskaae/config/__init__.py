"""From a configuration file to a checked experiment: data sets, models, capacities, figures.

The Snakefile imports this package while it is parsed, so nothing heavy is imported here.
"""

from maskaae.config.datasets import DatasetEntry
from maskaae.config.errors import ConfigError
from maskaae.config.experiment import Experiment, check_config, hyperparameter_names
from maskaae.config.reading import read_config

__all__ = [
    "ConfigError",
    "DatasetEntry",
    "Experiment",
    "check_config",
    "hyperparameter_names",
    "read_config",
]
