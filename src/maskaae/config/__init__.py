"""From a configuration file to a checked experiment: data sets, models, capacities, figures.

`keys` describes every key. The Snakefile imports this package while it is parsed: keep imports light.
"""
