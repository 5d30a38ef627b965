"""Packs what SageMaker serves: the model and its inference code, the same bytes for the same content.

usage: package.py MODEL ARCHIVE
"""

import gzip
import io
import sys
import tarfile

FILES = {"code/fraud.py": "src/fraud.py", "code/inference.py": "src/inference.py"}


def main(model, archive):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, path in sorted({"model.json": model, **FILES}.items()):
            with open(path, "rb") as file:
                content = file.read()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with open(archive, "wb") as file:
        file.write(gzip.compress(packed.getvalue(), mtime=0))


main(*sys.argv[1:])
