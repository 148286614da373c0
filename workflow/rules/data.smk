"""Data sets.

Output: results/data/{dataset}/ with train.npy, test.npy, labels.npz, dataset.json. One rule a source, so that
each can have its own resources; all run the same script.
"""


def datasets_of(source):
    """Wildcard constraint: the data sets of one source; a name that cannot be, where it has none."""
    names = [d.name for d in DATASETS.values() if d.source_spec["source"] == source]
    return "|".join(names) or "-"


rule prepare_synthetic:
    input:
        modules=modules("data/synthetic.py", "data/dataset.py"),
    """Draw the synthetic data set {wildcards.dataset}"""
    output:
        train="results/data/{dataset}/train.npy",
        test="results/data/{dataset}/test.npy",
        labels="results/data/{dataset}/labels.npz",
        info="results/data/{dataset}/dataset.json",
    log:
        "results/logs/data/{dataset}.log",
    benchmark:
        "results/benchmarks/data/{dataset}.tsv"
    wildcard_constraints:
        dataset=datasets_of("synthetic"),
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        spec=of_dataset("source_spec"),
        raw="results/data/raw",
    message:
        "Drawing the synthetic data set {wildcards.dataset}"
    script:
        "../../scripts/prepare.py"


use rule prepare_synthetic as prepare_digits with:
    input:
        modules=modules("data/digits.py", "data/dataset.py"),
    wildcard_constraints:
        dataset=datasets_of("digits"),
    message:
        "Preparing scikit-learn's digits as {wildcards.dataset}"
