"""Puts one file of every client into one folder.

usage: bundle.py FILES FOLDER     FILES is a file with one path a line
"""

import os
import shutil
import sys

files, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
with open(files) as file:
    for path in file.read().splitlines():
        shutil.copyfile(path, os.path.join(folder, os.path.basename(path)))
