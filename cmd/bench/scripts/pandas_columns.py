# Writes four columns of an export with pandas.
import sys

import pandas

frame = pandas.read_csv(
    sys.argv[1], sep=";", encoding="windows-1252", dtype={"Artículo": str, "EAN": str},
    usecols=["Artículo", "EAN", "Precio c/IVA", "Stock"], decimal=",", thousands=".",
)
frame.to_csv(sys.argv[2], sep=";", index=False)
