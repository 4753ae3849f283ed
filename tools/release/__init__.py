"""What `make release` makes: distributions, the context of the image, checksums, and an SBOM.

`source.py` takes a copy of the commit, `distributions.py` and `client_tree.py` build what pip
installs, `image_context.py` packs what `docker build` needs, `sbom.py` lists what is in the image,
and `archive.py` writes archives that are the same each time. `__main__.py` does it all.
"""
