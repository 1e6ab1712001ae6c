"""Writes the small Parquet files that packages/data is tested on: pyarrow's three commonest codecs, and one as Hugging
Face's `datasets` writes it, with the names of its classes.

usage: python tools/python/golden_parquet.py [FOLDER]   (default packages/data/goldens; needs pyarrow and datasets)
"""

import json
import sys
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "packages/data/goldens")

TEXTS = ["where is my card", 'it says "declined"', "zażółć gęślą jaźń 🙂", "two\nlines"]
TABLE = pa.table(
    {
        "text": pa.array(TEXTS * 5),
        "score": pa.array([0.5, -1.25, 3.0, 2.75] * 5, pa.float32()),
        "stars": pa.array([5, 1, None, 4] * 5, pa.int64()),
        "tags": pa.array([["a", "b"], [], ["b"], None] * 5, pa.list_(pa.string())),
    }
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for codec in ["none", "snappy", "zstd", "gzip"]:
        pq.write_table(TABLE, FOLDER / f"table.{codec}.parquet", compression=codec, row_group_size=8)
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["negative", "neutral", "positive"]),
        }
    )
    rows = {"text": [f"text number {i}" for i in range(12)], "label": [i % 3 for i in range(12)]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(FOLDER / "class-labels.parquet")
    versions = {"pyarrow": pa.__version__, "datasets": datasets.__version__}
    made = {"command": "python tools/python/golden_parquet.py", "versions": versions}
    (FOLDER / "made-by.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
