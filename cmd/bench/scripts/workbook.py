# Prints a workbook as CSV with openpyxl, row by row.
import csv
import sys

import openpyxl

out = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
n = 0
for row in openpyxl.load_workbook(sys.argv[1], read_only=True).active.iter_rows(values_only=True):
    out.writerow(row)
    n += 1
sys.exit(n < 2)
