#!/bin/sh
# Makes the workbooks in this folder anew, and beside each the cells that were put into it, with openpyxl
# (Debian: python3-openpyxl). A second run changes no byte.
set -eu
cd "$(dirname "$0")"
exec "${PYTHON:-/usr/bin/python3}" make.py
