"""Data sets.

Output: results/data/{dataset}/ with train.npy, test.npy, labels.npz, dataset.json. Each source has a rule of
its name; all run the same script. A source that is published has a download rule too: its files go to
results/data/raw/, and files that are put there by hand are used without network.
"""

for source in SOURCES.values():

    rule:
        name:
            f"prepare_{source.name}"
        input:
            raw=raw_data(source),
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
            dataset=datasets_of(source.name),
        conda:
            "../envs/compute.yaml"
        threads: 8 if source.name in ("celeba", "images") else 1
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            code=code_of("prepare", [f"{source.module}:prepare"], registry.__name__),
            spec=of_dataset("source_spec"),
            raw=lambda wildcards: RAW,
        script:
            "../../scripts/prepare.py"

    describe(
        rules,
        f"prepare_{source.name}",
        f"Prepare a data set whose source is {source.name}",
    )


for source in SOURCES.values():
    if source.raw_files:

        rule:
            name:
                f"download_{source.name}"
            output:
                manifest=local(f"{RAW}/{source.name}.json"),
            log:
                f"results/logs/data/raw/{source.name}.log",
            retries: 2
            localrule: True  # nodes of a cluster often see no network
            conda:
                "../envs/compute.yaml"
            resources:
                mem_mb=2000,
                runtime=240,
            params:
                code=code_of("download"),
                source=source.name,
                raw=lambda wildcards: RAW,
                verify=verifies(source.name),
            script:
                "../../scripts/download.py"

        describe(
            rules,
            f"download_{source.name}",
            f"Fetch the files of {source.name}, or take those put into {RAW}/ by hand",
        )
